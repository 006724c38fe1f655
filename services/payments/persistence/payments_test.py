from __future__ import annotations

import asyncio

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from services.payments.persistence.payments import PaymentRepository
from services.payments.records.messagebus import Payment, PaymentState

EURO = Money(currency_code="EUR", minor_units=10**12)


@pytest.fixture
def payments(database: Database) -> PaymentRepository:
    """Payments, each statement on its own."""
    return PaymentRepository(database)


async def begin_void(database: Database, payment_id: str) -> PaymentState:
    async with database.transaction() as transaction:
        return await PaymentRepository(transaction).begin_void(payment_id)


async def state(payments: PaymentRepository, payment_id: str = "p") -> PaymentState | None:
    found = await payments.find(payment_id)
    return None if found is None else found.state


async def test_what_is_about_to_be_asked_for_is_found_again(payments: PaymentRepository) -> None:
    assert await payments.find("p") is None
    assert await payments.begin("p", EURO, "for Zoë")
    assert await payments.find("p") == Payment(
        payment_id="p",
        amount=EURO,
        reference="for Zoë",
        state=PaymentState.TAKING,
        decline_reason="",
    )


async def test_an_id_is_used_once_and_keeps_its_first_amount(payments: PaymentRepository) -> None:
    assert await payments.begin("p", EURO, "first")
    assert not await payments.begin("p", Money(currency_code="USD", minor_units=1), "second")
    found = await payments.find("p")
    assert found is not None
    assert (found.amount, found.reference) == (EURO, "first")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(PaymentState.TAKEN, ""), (PaymentState.DECLINED, "no funds"), (PaymentState.VOIDED, "")],
)
async def test_an_outcome_is_written_once(
    payments: PaymentRepository, outcome: PaymentState, reason: str
) -> None:
    assert not await payments.settle("p", outcome, reason)
    await payments.begin("p", EURO, "")
    assert await payments.settle("p", outcome, reason)
    assert not await payments.settle("p", PaymentState.TAKEN)
    found = await payments.find("p")
    assert found is not None
    assert (found.state, found.decline_reason) == (outcome, reason)


async def test_a_payment_that_nobody_asked_for_is_voided_at_once_and_for_ever(
    database: Database, payments: PaymentRepository
) -> None:
    assert await begin_void(database, "p") is PaymentState.VOIDED
    assert not await payments.begin("p", EURO, "")
    assert not await payments.settle("p", PaymentState.TAKEN)
    assert await payments.find("p") == Payment(
        payment_id="p", reference="", state=PaymentState.VOIDED, decline_reason=""
    )


@pytest.mark.parametrize("outcome", [None, PaymentState.TAKEN])
async def test_where_money_may_be_held_the_provider_has_to_be_asked(
    database: Database, payments: PaymentRepository, outcome: PaymentState | None
) -> None:
    await payments.begin("p", EURO, "")
    if outcome is not None:
        await payments.settle("p", outcome)
    await payments.finish_void("p")
    assert await begin_void(database, "p") is PaymentState.VOIDING
    assert await begin_void(database, "p") is PaymentState.VOIDING
    assert not await payments.settle("p", PaymentState.TAKEN)
    await payments.finish_void("p")
    assert await state(payments) is PaymentState.VOIDED
    assert await begin_void(database, "p") is PaymentState.VOIDED
    found = await payments.find("p")
    assert found is not None
    assert found.amount == EURO


async def test_a_declined_payment_is_voided_at_once_and_keeps_its_reason(
    database: Database, payments: PaymentRepository
) -> None:
    await payments.begin("p", EURO, "")
    await payments.settle("p", PaymentState.DECLINED, "no funds")
    assert await begin_void(database, "p") is PaymentState.VOIDED
    found = await payments.find("p")
    assert found is not None
    assert found.decline_reason == "no funds"


async def test_of_many_at_once_one_begins_and_one_settles(
    database: Database, payments: PaymentRepository
) -> None:
    begun = await asyncio.gather(*(payments.begin("p", EURO, "") for _ in range(8)))
    assert sorted(begun) == [False] * 7 + [True]
    settled = await asyncio.gather(
        *(payments.settle("p", PaymentState.TAKEN) for _ in range(4)),
        begin_void(database, "p"),
        *(payments.settle("p", PaymentState.TAKEN) for _ in range(4)),
    )
    assert [each for each in settled if isinstance(each, bool)].count(True) <= 1
    assert await state(payments) is PaymentState.VOIDING
