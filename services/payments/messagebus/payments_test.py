from __future__ import annotations

import asyncio

import pytest
from contract.v1.money import Money

from seam.contract import Code, StatusError
from seam.persistence import Database
from seam.testing import strict_channel
from services.payments.messagebus.payments import Payments
from services.payments.provider.provider import (
    Charged,
    Declined,
    PaymentProvider,
    ProviderDefectError,
    ProviderUnavailableError,
    Voided,
)
from services.payments.provider.simulated_provider import DECLINE_ABOVE, SimulatedProvider
from services.payments.records.messagebus import (
    GetPaymentRequest,
    InvalidPaymentError,
    Payment,
    PaymentConflictError,
    PaymentDeclinedError,
    PaymentNotFoundError,
    PaymentState,
    PaymentVoidedError,
    TakePaymentRequest,
    TakePaymentResponse,
    VoidPaymentRequest,
    VoidPaymentResponse,
)
from services.payments.records.messagebus_bus import PaymentsStub, register_payments
from services.payments.simulator.ledger import Ledger

AMOUNT = Money(currency_code="EUR", minor_units=1_999)


class StubbornProvider:
    """The simulated provider behind a line that can be cut on either side of its work."""

    def __init__(self, ledger: Ledger) -> None:
        self._provider = SimulatedProvider(ledger)
        self.away_before = False
        self.away_after = False
        self.understands = True
        self.reached = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def charge(self, key: str, amount: Money, reference: str) -> Charged | Declined | Voided:
        await self._before()
        answer = await self._provider.charge(key, amount, reference)
        self._after()
        return answer

    async def void(self, key: str) -> None:
        await self._before()
        await self._provider.void(key)
        self._after()

    async def _before(self) -> None:
        if self.away_before:
            raise ProviderUnavailableError("it is away")
        if not self.understands:
            raise ProviderDefectError("what?")
        self.reached.set()
        await self.may_go_on.wait()

    def _after(self) -> None:
        if self.away_after:
            raise ProviderUnavailableError("it left without a word")


@pytest.fixture
def provider(ledger: Ledger) -> StubbornProvider:
    return StubbornProvider(ledger)


def stub(database: Database, provider: PaymentProvider) -> PaymentsStub:
    return PaymentsStub(strict_channel(register_payments(Payments(database, provider))))


@pytest.fixture
def payments(database: Database, provider: StubbornProvider) -> PaymentsStub:
    """Payments as other services reach them."""
    return stub(database, provider)


async def take(
    payments: PaymentsStub, payment_id: str = "p", amount: Money = AMOUNT
) -> TakePaymentResponse:
    return await payments.take_payment(
        TakePaymentRequest(payment_id=payment_id, amount=amount, reference="order 7")
    )


async def void(payments: PaymentsStub, payment_id: str = "p") -> VoidPaymentResponse:
    return await payments.void_payment(VoidPaymentRequest(payment_id=payment_id))


async def state(payments: PaymentsStub) -> PaymentState:
    return (await payments.get_payment(GetPaymentRequest(payment_id="p"))).state


def held(ledger: Ledger) -> int:
    return sum(total.minor_units for total in ledger.held())


async def test_money_is_taken_once_for_each_id(payments: PaymentsStub, ledger: Ledger) -> None:
    for _ in range(3):
        assert await take(payments) == TakePaymentResponse(payment_id="p")
    await take(payments, "q")
    assert held(ledger) == 2 * AMOUNT.minor_units
    assert [entry.charge_requests for entry in ledger.entries()] == [1, 1]
    assert await payments.get_payment(GetPaymentRequest(payment_id="p")) == Payment(
        payment_id="p",
        amount=AMOUNT,
        reference="order 7",
        state=PaymentState.TAKEN,
        decline_reason="",
    )


async def test_another_amount_under_the_same_id_is_a_conflict(
    payments: PaymentsStub, ledger: Ledger
) -> None:
    await take(payments)
    for other in (("EUR", 2_000), ("USD", 1_999)):
        with pytest.raises(PaymentConflictError):
            await take(payments, amount=Money(currency_code=other[0], minor_units=other[1]))
    assert held(ledger) == AMOUNT.minor_units


async def test_a_declined_payment_says_why_and_stays_declined(
    payments: PaymentsStub, ledger: Ledger
) -> None:
    amount = Money(currency_code="EUR", minor_units=DECLINE_ABOVE + 1)
    for _ in range(2):
        with pytest.raises(PaymentDeclinedError) as caught:
            await take(payments, amount=amount)
        assert caught.value.record.reason == "the amount is above the limit of the card"
    assert [entry.charge_requests for entry in ledger.entries()] == [1]
    await void(payments)
    with pytest.raises(PaymentVoidedError):
        await take(payments, amount=amount)


async def test_what_cannot_be_a_payment_is_refused_before_anybody_is_asked(
    payments: PaymentsStub, ledger: Ledger
) -> None:
    with pytest.raises(InvalidPaymentError):
        await take(payments, amount=Money(currency_code="EUR", minor_units=0))
    with pytest.raises(InvalidPaymentError):
        await void(payments, "ß")
    with pytest.raises(InvalidPaymentError):
        await payments.get_payment(GetPaymentRequest(payment_id="p\0"))
    with pytest.raises(PaymentNotFoundError):
        await state(payments)
    assert ledger.entries() == []


async def test_voiding_gives_back_what_was_taken_and_refuses_the_id_for_ever(
    payments: PaymentsStub, ledger: Ledger
) -> None:
    await take(payments)
    for _ in range(3):
        assert await void(payments) == VoidPaymentResponse()
    assert held(ledger) == 0
    assert [entry.void_requests for entry in ledger.entries()] == [1]
    with pytest.raises(PaymentVoidedError):
        await take(payments)
    assert await state(payments) is PaymentState.VOIDED


async def test_a_payment_can_be_voided_before_it_is_asked_for_and_without_a_provider(
    payments: PaymentsStub, provider: StubbornProvider, ledger: Ledger
) -> None:
    provider.away_before = True
    await void(payments)
    provider.away_before = False
    with pytest.raises(PaymentVoidedError):
        await take(payments)
    assert ledger.entries() == []


@pytest.mark.parametrize("side", ["away_before", "away_after"])
async def test_a_take_that_a_provider_did_not_answer_is_resolved_by_the_next(
    payments: PaymentsStub, provider: StubbornProvider, ledger: Ledger, side: str
) -> None:
    setattr(provider, side, True)
    with pytest.raises(StatusError) as caught:
        await take(payments)
    assert caught.value.code is Code.UNAVAILABLE
    assert caught.value.message == "the payment provider of payments is not available"
    assert await state(payments) is PaymentState.TAKING
    setattr(provider, side, False)
    await take(payments)
    assert held(ledger) == AMOUNT.minor_units


@pytest.mark.parametrize("side", ["away_before", "away_after"])
@pytest.mark.parametrize("known", [True, False])
async def test_a_void_that_a_provider_did_not_answer_is_not_done_until_one_was(
    payments: PaymentsStub, provider: StubbornProvider, ledger: Ledger, side: str, known: bool
) -> None:
    provider.away_after = not known
    try:
        await take(payments)
    except StatusError:
        assert not known
    provider.away_after = False
    setattr(provider, side, True)
    with pytest.raises(StatusError) as caught:
        await void(payments)
    assert caught.value.code is Code.UNAVAILABLE
    assert await state(payments) is PaymentState.VOIDING
    with pytest.raises(PaymentVoidedError):
        await take(payments)
    setattr(provider, side, False)
    await void(payments)
    assert held(ledger) == 0


async def test_a_provider_that_is_not_understood_is_a_defect_and_leaves_the_outcome_open(
    payments: PaymentsStub, provider: StubbornProvider, ledger: Ledger
) -> None:
    provider.understands = False
    with pytest.raises(StatusError) as caught:
        await take(payments)
    assert caught.value.code is Code.INTERNAL
    assert "what?" not in caught.value.message
    provider.understands = True
    await take(payments)
    assert held(ledger) == AMOUNT.minor_units


async def test_a_process_that_ends_while_it_waits_for_the_provider_is_taken_up_by_the_next(
    database: Database, payments: PaymentsStub, provider: StubbornProvider, ledger: Ledger
) -> None:
    provider.may_go_on.clear()
    ending = asyncio.create_task(take(payments))
    await provider.reached.wait()
    ending.cancel()
    await asyncio.wait([ending])
    assert await state(payments) is PaymentState.TAKING
    await take(stub(database, SimulatedProvider(ledger)))
    assert held(ledger) == AMOUNT.minor_units


async def test_a_void_that_overtakes_a_charge_leaves_no_money(
    database: Database, payments: PaymentsStub, provider: StubbornProvider, ledger: Ledger
) -> None:
    provider.may_go_on.clear()
    taking = asyncio.create_task(take(payments))
    await provider.reached.wait()
    await void(stub(database, SimulatedProvider(ledger)))
    provider.may_go_on.set()
    with pytest.raises(PaymentVoidedError):
        await taking
    assert held(ledger) == 0
    assert await state(payments) is PaymentState.VOIDED


async def test_many_calls_at_once_take_money_once_and_answer_alike(
    payments: PaymentsStub, ledger: Ledger
) -> None:
    answers = await asyncio.gather(*(take(payments) for _ in range(10)))
    assert set(answers) == {TakePaymentResponse(payment_id="p")}
    assert held(ledger) == AMOUNT.minor_units
