"""Sagas that do not come to an end are told with what they wait for, and are tried when asked."""

from __future__ import annotations

import time

from seam.persistence import Database
from seam.sagas import Delayed, DelayedSagas, Pace, Reason, RefusedError
from seam.testing.travel import (
    TABLES,
    Trip,
    World,
    away,
    ends,
    eventually,
    leave_trip,
    run_trip,
    runner_of,
    stored,
)

PATIENT = Pace(lease=5.0, poll=5.0, first_delay=20.0, longest_delay=20.0)
"""A saga whose step has failed is tried again long after a test has ended."""


async def ids(delayed: DelayedSagas, older_than: float = 0, after: str = "") -> list[str]:
    return [each.id for each in await delayed.page(older_than, after, 10)]


async def test_what_goes_on_is_told_with_its_step_and_why_it_failed(
    database: Database, world: World
) -> None:
    world.fails("book seat", away())
    async with runner_of(database, world, pace=PATIENT) as runner:
        async with database.transaction() as transaction:
            await runner.start(transaction, world.saga, "1", Trip("1"))
        await eventually(lambda record: record.holder == "", database)
    record = await stored(database)
    assert await DelayedSagas(database, TABLES).page(0, "", 10) == [
        Delayed(
            id="1",
            is_undone=False,
            step="book seat",
            attempts=1,
            since=record.started_at,
            due_at=record.due_at,
            failure="UNAVAILABLE: away",
        )
    ]


async def test_what_has_ended_is_not_told(database: Database, world: World) -> None:
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        world.fails("book room", RefusedError(Reason("sold out")))
        await run_trip(runner, database, world, "2")
    delayed = DelayedSagas(database, TABLES)
    assert await ids(delayed) == []
    assert [await delayed.find(each) for each in "12"] == [None, None]
    assert [await delayed.hasten(each) for each in "123"] == [False] * 3


async def test_pages_tell_each_once_in_the_order_of_identities(
    database: Database, world: World
) -> None:
    for each in "2413":
        await leave_trip(database, world, each)
    delayed = DelayedSagas(database, TABLES)
    first = await delayed.page(0, "", 3)
    assert [each.id for each in first] == ["1", "2", "3"]
    assert await ids(delayed, after="3") == ["4"]
    assert (first[0].attempts, first[0].failure) == (0, "")


async def test_what_has_only_just_begun_is_not_told_until_it_has_gone_on_for_so_long(
    database: Database, world: World
) -> None:
    await leave_trip(database, world)
    assert await ids(DelayedSagas(database, TABLES), older_than=60) == []
    later = DelayedSagas(database, TABLES, clock=lambda: time.time() + 61)
    assert await ids(later, older_than=60) == ["1"]


async def test_what_was_done_long_ago_and_is_undone_now_counts_from_when_it_was_turned_round(
    database: Database, world: World
) -> None:
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        gate = world.gate("cancel seat")
        async with database.transaction() as transaction:
            assert await runner.stop(transaction, "1", Reason("cancelled"))
        (found,) = await DelayedSagas(database, TABLES).page(0, "", 10)
        assert found.is_undone
        assert found.since > (await stored(database)).started_at
        assert found.since == (await runner.history("1"))[-1].at
        gate.set()
        await ends(database, "compensated")


async def test_what_waits_for_its_next_try_is_tried_at_once_when_asked(
    database: Database, world: World
) -> None:
    world.fails("book seat", away())
    delayed = DelayedSagas(database, TABLES)
    async with runner_of(database, world, pace=PATIENT) as runner:
        async with database.transaction() as transaction:
            ending = await runner.start(transaction, world.saga, "1", Trip("1"))
        await eventually(lambda record: record.holder == "", database)
        assert not await ending.within(0.2)
        assert await delayed.hasten("1")
        runner.look()
        assert await ending.within(3)
        assert world.done == ["book room", "book seat", "completed"]


async def test_what_somebody_has_is_left_to_them(database: Database, world: World) -> None:
    gate = world.gate("book seat")
    async with runner_of(database, world) as runner:
        async with database.transaction() as transaction:
            ending = await runner.start(transaction, world.saga, "1", Trip("1"))
        before = await stored(database)
        assert not await DelayedSagas(database, TABLES).hasten("1")
        assert (await stored(database)).lease == before.lease
        gate.set()
        assert await ending.within(10)
        assert world.done == ["book room", "book seat", "completed"]
