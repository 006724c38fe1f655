"""Whatever happens in whatever order, the provider holds money exactly when a payment is taken."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Coroutine, Sequence
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

from contract.v1.money import Money
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seam.contract import StatusError
from seam.persistence import Database, open_database
from seam.testing import strict_channel
from services.payments.messagebus.payments import Payments
from services.payments.persistence.tables import Table
from services.payments.provider.provider import (
    Charged,
    Declined,
    ProviderUnavailableError,
    Voided,
)
from services.payments.provider.simulated_provider import SimulatedProvider
from services.payments.records.messagebus import (
    GetPaymentRequest,
    PaymentDeclinedError,
    PaymentState,
    PaymentVoidedError,
    TakePaymentRequest,
    VoidPaymentRequest,
)
from services.payments.records.messagebus_bus import PaymentsStub, register_payments
from services.payments.simulator.ledger import Ledger

GOOD: Final = Money(currency_code="EUR", minor_units=1_000)
DECLINED: Final = Money(currency_code="EUR", minor_units=100_000_000)

OK, BEFORE, AFTER, LATE = "ok", "before", "after", "late"

# Calls for one payment: what is asked, of which of two processes, after how many turns of the loop,
# what happens at the provider, and after how many tenths of a millisecond the caller ends the call,
# which may be in the middle of a statement or of a commit. A process that is killed on either side
# of the provider has written as much as one that gets no answer.
CALLS: Final = st.tuples(
    st.sampled_from(["take", "void"]),
    st.integers(0, 1),
    st.integers(0, 6),
    st.sampled_from([OK, BEFORE, AFTER, LATE]),
    st.none() | st.integers(0, 60),
)
Call: TypeAlias = tuple[str, int, int, str, int | None]

# Rounds of calls; those of a round are under way at the same time.
ROUNDS: Final = st.lists(st.lists(CALLS, min_size=1, max_size=4), min_size=1, max_size=4)

numbers = count()


class UnreliableProvider:
    """Does what it was asked for, or does not, or does it later, and tells or does not tell."""

    def __init__(self, ledger: Ledger) -> None:
        self._provider = SimulatedProvider(ledger)
        self.late: list[asyncio.Task[object]] = []
        self.faults: list[str] = []

    async def charge(self, key: str, amount: Money, reference: str) -> Charged | Declined | Voided:
        fault = self.faults.pop() if self.faults else OK
        if fault == LATE:
            charging = self._later(self._provider.charge(key, amount, reference))
            self.late.append(asyncio.create_task(charging))
        self._check(fault in {BEFORE, LATE})
        answer = await self._provider.charge(key, amount, reference)
        self._check(fault == AFTER)
        return answer

    async def void(self, key: str) -> None:
        fault = self.faults.pop() if self.faults else OK
        self._check(fault in {BEFORE, LATE})
        await self._provider.void(key)
        self._check(fault == AFTER)

    async def _later(self, work: Awaitable[object]) -> None:
        await asyncio.sleep(0.005)
        await work

    def _check(self, fails: bool) -> None:
        if fails:
            raise ProviderUnavailableError("away")


async def call(
    payments: PaymentsStub, payment_id: str, amount: Money, what: str, turns: int
) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    try:
        if what == "void":
            await payments.void_payment(VoidPaymentRequest(payment_id=payment_id))
            return "voided"
        await payments.take_payment(
            TakePaymentRequest(payment_id=payment_id, amount=amount, reference="")
        )
    except PaymentDeclinedError:
        return "declined"
    except PaymentVoidedError:
        return "void"
    except StatusError:
        return "unknown"
    return "taken"


async def within(patience: int | None, calling: Coroutine[object, object, str]) -> str:
    """What comes of a call, whose caller goes away after so many tenths of a millisecond."""
    task = asyncio.create_task(calling)
    if patience is not None:
        await asyncio.sleep(patience / 10_000)
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "unknown"


async def play(
    databases: Sequence[Database],
    ledger: Ledger,
    rounds: Sequence[Sequence[Call]],
    amount: Money,
) -> None:
    provider = UnreliableProvider(ledger)
    handlers = [
        PaymentsStub(strict_channel(register_payments(Payments(each, provider))))
        for each in databases
    ]
    payment_id = f"payment-{next(numbers)}"
    answers: list[list[str]] = []
    for calls in rounds:
        provider.faults += [fault for *_, fault, _ in calls]
        tasks = [
            within(patience, call(handlers[process], payment_id, amount, what, turns))
            for what, process, turns, _, patience in calls
        ]
        answers.append(await asyncio.gather(*tasks))
    provider.faults.clear()
    # Somebody has to ask again where the outcome is open; then it is known.
    last = "void" if any(each[0] == "void" for calls in rounds for each in calls) else "take"
    for _ in range(20):
        # A busy machine may keep SQLite's one writer waiting for longer than a call does.
        answers.append([await call(handlers[0], payment_id, amount, last, 0)])
        if answers[-1] != ["unknown"]:
            break
    await asyncio.gather(*provider.late)

    found = await handlers[1].get_payment(GetPaymentRequest(payment_id=payment_id))
    entry = next((each for each in ledger.entries() if each.key == payment_id), None)
    holds = entry is not None and entry.status.value == "charged"
    told = f"{answers} left {found} with {entry}"
    assert holds == (found.state is PaymentState.TAKEN), told
    assert found.state not in {PaymentState.TAKING, PaymentState.VOIDING}, told
    assert (last == "void") == (found.state is PaymentState.VOIDED), told
    # No answer is taken back, but what was taken may be voided.
    said = {answer for answers_of_round in answers for answer in answers_of_round}
    assert not {"taken", "declined"} <= said, told
    voided = False
    for answers_of_round in answers:
        assert not (voided and "taken" in answers_of_round), told
        voided = voided or "voided" in answers_of_round


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=ROUNDS, amount=st.sampled_from([GOOD, GOOD, GOOD, DECLINED]))
async def test_money_is_held_exactly_for_what_is_taken(
    database_url: str,
    rounds: list[list[Call]],
    amount: Money,
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ledger = Ledger(Path(directory, "ledger.db"))
        try:
            async with (
                open_database(database_url, Table.metadata) as one,
                open_database(database_url, Table.metadata) as two,
            ):
                await play([one, two], ledger, rounds, amount)
        finally:
            ledger.close()
