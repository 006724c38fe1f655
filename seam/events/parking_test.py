"""Events that fail: they are parked, tried again, given up, shown, replayed and dropped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from contract.v1.money import Money
from sqlalchemy import func, select

from seam.call import call_scope, current_call
from seam.contract import Code, StatusError
from seam.events import publish, subscribe
from seam.events.dead_letters import DeadLetters
from seam.events.event import microseconds
from seam.events.lag import Lag, measure
from seam.events.policy import DEFAULT_POLICY, Policy
from seam.events.retrying import Retrying
from seam.events.subscriber import Subscriber
from seam.events.subscription import Subscription
from seam.events.testing.paths import path
from seam.events.testing.shop import LEDGER, SOLD, databases, entries, note, sell
from seam.events.testing.waiting import until_dead, until_noted
from seam.persistence import Query, Transaction

QUICK = replace(DEFAULT_POLICY, first_delay=0.05, delay_factor=1.5, attempts=3, poll=0.1)


def unless(bad: Callable[[Money], bool], fail: Callable[[], Awaitable[None]]) -> Subscription:
    async def handle(event: Money, transaction: Transaction) -> None:
        await note(event, transaction)
        if bad(event):
            await fail()

    return subscribe(SOLD, handle)


async def test_an_event_that_always_fails_becomes_a_dead_letter_that_can_be_replayed_and_dropped(
    database_url: str, broker: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    async def fail() -> None:
        if broken:
            raise RuntimeError("the shelf is on fire")

    subscription = unless(lambda event: event.minor_units in {3, 5}, fail)
    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=broker, subscription=subscription),
    ):
        await sell(sales, [("a", n) for n in range(8)])
        dead = await until_dead(ledger, 2)
        assert await until_noted(ledger, 6) == {"a": [0, 1, 2, 4, 6, 7]}
        assert [(each.attempts, each.reason) for each in dead] == [
            (3, "RuntimeError: the shelf is on fire")
        ] * 2
        assert (await measure("ledger", ledger)) == Lag(outbox=0, oldest=0, parked=0, dead=2)
        broken = False
        letters = DeadLetters("ledger", ledger)
        third, fifth = (each.event.id for each in dead)
        assert await letters.replay([third, "unknown"]) == ["unknown"]
        assert await letters.drop([fifth, third]) == [third]
        assert await until_noted(ledger, 7) == {"a": [0, 1, 2, 4, 6, 7, 3]}
        assert await letters.find(fifth) is None
    assert sum("is a dead letter of ledger" in each.message for each in caplog.records) == 2


async def test_an_event_that_cannot_be_read_is_a_dead_letter_at_once(
    database_url: str, broker: str | None
) -> None:
    garbled = replace(SOLD, codec=_Garbled())  # type: ignore[arg-type]
    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=broker),
    ):
        async with sales.transaction() as transaction:
            await publish(transaction, garbled, Money(currency_code="a", minor_units=0))
            await publish(transaction, SOLD, Money(currency_code="a", minor_units=1))
        assert await until_noted(ledger, 1) == {"a": [1]}
        (dead,) = await until_dead(ledger, 1)
        assert dead.reason.startswith("cannot be read: the bytes are no contract.v1.Money")


class _Garbled:
    def encode(self, record: Money) -> bytes:
        return b"\xff\xff\xff"


async def test_a_handler_that_hangs_is_ended_and_counts_as_failed(
    database_url: str, broker: str | None
) -> None:
    async def hang() -> None:
        await asyncio.sleep(3600)

    subscription = unless(lambda event: event.minor_units == 1, hang)
    policy = replace(QUICK, handler_timeout=0.3, attempts=2)
    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, policy, broker=broker, subscription=subscription),
    ):
        await sell(sales, [("a", 0), ("a", 1), ("a", 2), ("b", 0)])
        (dead,) = await until_dead(ledger, 1)
        assert dead.reason == "took longer than 0.3 s"
        assert await until_noted(ledger, 3) == {"a": [0, 2], "b": [0]}


async def test_what_an_event_caused_belongs_to_the_trace_of_what_published_it(
    database_url: str, broker: str | None
) -> None:
    traces: list[str] = []

    async def trace(event: Money, transaction: Transaction) -> None:
        call = current_call.get()
        assert call is not None
        traces.append(call.traceparent)
        if len(traces) < 3:
            raise RuntimeError("once more")
        await note(event, transaction)

    trace_of_this = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=broker, subscription=subscribe(SOLD, trace)),
    ):
        with call_scope(traceparent=trace_of_this):
            await sell(sales, [("a", 0)])
        await until_noted(ledger, 1)
    assert set(traces) == {trace_of_this}
    # Without precaution, with it, and from where it was parked.
    assert len(traces) == 3


async def test_a_database_that_is_away_is_not_the_fault_of_an_event(
    database_url: str, broker: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True

    async def problem() -> str | None:
        return "is away" if away else None

    async def fail() -> None:
        if away:
            raise StatusError(Code.UNAVAILABLE, "ledger is not available")

    async with databases(database_url) as (sales, ledger):
        monkeypatch.setattr(ledger, "problem", problem)
        subscription = unless(lambda _: True, fail)
        async with path(sales, ledger, QUICK, broker=broker, subscription=subscription):
            await sell(sales, [("a", n) for n in range(5)])
            await asyncio.sleep(1)
            assert await entries(ledger) == {}
            assert (await measure("ledger", ledger)).parked == 0
            away = False
            assert await until_noted(ledger, 5) == {"a": list(range(5))}


async def test_ids_are_forgotten_when_nothing_delivers_them_any_more(database_url: str) -> None:
    policy = replace(QUICK, inbox_age=0.0)
    async with databases(database_url) as (sales, ledger):
        async with path(sales, ledger, QUICK):
            await sell(sales, [("a", n) for n in range(2500)])
            await until_noted(ledger, 2500)
        subscriber = Subscriber("ledger", ledger, [subscribe(SOLD, note)], policy)
        assert await _inbox(subscriber) == 2500
        await Retrying(subscriber, policy).trim()
        assert await _inbox(subscriber) == 0


async def _inbox(subscriber: Subscriber) -> int:
    counted = Query(select(func.count()).select_from(LEDGER.tables["ledger.inbox"]), int)
    return await subscriber.database.fetch_one(counted) or 0


def test_delays_grow_to_a_bound_and_differ() -> None:
    policy = Policy(first_delay=1, delay_factor=4, longest_delay=100)
    for attempts, longest in ((1, 1), (2, 4), (3, 16), (4, 64), (5, 100), (50, 100)):
        delays = {policy.delay(attempts) for _ in range(50)}
        assert len(delays) > 1
        assert longest / 2 <= min(delays) <= max(delays) <= longest


async def test_a_failure_is_told_in_one_line_for_each_attempt(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError("no")

    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, QUICK, subscription=unless(lambda _: True, fail)),
    ):
        await sell(sales, [("a", 0)])
        await until_dead(ledger, 1)
    lines = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert [each.levelname for each in lines] == ["WARNING", "WARNING", "ERROR"]


async def test_an_event_is_tried_again_though_the_clock_was_set_back_since_it_failed(
    database_url: str, broker: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 0

    async def fail() -> None:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise RuntimeError("not now")

    subscription = unless(lambda event: event.minor_units == 3, fail)
    set_forward = 3_600_000_000
    monkeypatch.setattr("seam.events.parking.microseconds", lambda: microseconds() + set_forward)
    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, QUICK, broker=broker, subscription=subscription),
    ):
        await sell(sales, [("a", n) for n in range(6)])
        assert await until_noted(ledger, 6) == {"a": list(range(6))}
