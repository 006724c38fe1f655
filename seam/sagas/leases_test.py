"""Several runners share sagas, and who was taken for dead, or is of another age, does no harm."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import bindparam, update

from seam.persistence import Command, Database
from seam.sagas import Pace, SagaRunner
from seam.testing.travel import (
    PACE,
    TABLES,
    Trip,
    World,
    ends,
    events,
    eventually,
    leave_trip,
    runner_of,
    stored,
)


async def test_several_runners_share_the_work_and_do_each_saga_once(
    database: Database,
) -> None:
    worlds = [World() for _ in range(3)]
    for number in range(40):
        await leave_trip(database, worlds[0], str(number))
    async with (
        runner_of(database, worlds[0]),
        runner_of(database, worlds[1]),
        runner_of(database, worlds[2]),
    ):
        for number in range(40):
            await ends(database, "completed", str(number))
    assert sum(world.done.count("completed") for world in worlds) == 40


async def test_a_holder_that_was_taken_for_dead_writes_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Its clock or its machine has stood still; it wakes up after another has done the work."""
    sleeper, other = World(), World()
    gate = sleeper.gate("book seat")
    forever = Pace(lease=60.0, poll=60.0)
    async with runner_of(database, sleeper, pace=forever) as runner:
        async with database.transaction() as transaction:
            ending = await runner.start(transaction, sleeper.saga, "1", Trip("1"))
        saga = TABLES.saga
        expired = Command(update(saga).where(saga.c.id == bindparam("of")).values(due_at=0))
        await database.execute(expired, of="1")
        async with runner_of(database, other):
            await ends(database, "completed")
        gate.set()
        assert not await ending.within(0.3)
    assert sleeper.done == ["book room", "book seat"]
    assert other.done == ["book room", "book seat", "completed"]
    assert [event for _, event in await events(runner)].count("completed") == 1
    assert "Traceback" not in caplog.text


async def test_a_long_step_keeps_its_lease(database: Database) -> None:
    slow, other = World(), World()
    gate = slow.gate("book seat")
    short = Pace(lease=0.6, poll=0.05, attempt=30.0)
    async with runner_of(database, slow, pace=short) as runner, runner_of(database, other):
        async with database.transaction() as transaction:
            ending = await runner.start(transaction, slow.saga, "1", Trip("1"))
        await asyncio.sleep(2)
        gate.set()
        assert await ending.within(10)
    # On a machine that stands still for as long as a lease, it may be taken; never ended twice.
    assert (slow.done + other.done).count("completed") == 1


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_a_clock_that_was_set_wrong_does_not_keep_sagas_from_ending(
    database: Database, jump: float
) -> None:
    """A saga is left by a process whose clock was a day ahead, or behind."""
    world = World(time_limit=10**6)
    idle = SagaRunner(database, TABLES, [world.saga], clock=lambda: 10**9 + jump)
    async with database.transaction() as transaction:
        await idle.start(transaction, world.saga, "1", Trip("1"))
    runner = SagaRunner(database, TABLES, [world.saga], pace=PACE, clock=lambda: 10**9)
    async with runner.running():
        await ends(database, "completed")


async def test_a_saga_of_another_version_stays_as_it_is_and_is_logged_once(
    database: Database, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    for trip_id in ("1", "2"):
        await leave_trip(database, world, trip_id)
    saga = TABLES.saga
    renamed = update(saga).where(saga.c.id == bindparam("of"))
    await database.execute(Command(renamed.values(step="hire car")), of="1")
    await database.execute(Command(renamed.values(data='{"trip": 7}')), of="2")
    async with runner_of(database, world):
        for each in ("1", "2"):
            await eventually(lambda record: record.lease > 1, database, each)
        await asyncio.sleep(0.2)
    assert "it is at the step 'hire car', which is not known" in caplog.text
    assert "its data cannot be read" in caplog.text
    assert caplog.text.count("is left as it is") == 2
    assert world.done == []
    assert {(await stored(database, each)).state for each in ("1", "2")} == {"running"}


async def test_a_runner_that_closes_leaves_its_sagas_to_the_next(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seam.sagas.runner._SETTLING", 0.05)
    gate = world.gate("book seat")
    async with (
        runner_of(database, world, pace=Pace(lease=3600)) as runner,
        database.transaction() as transaction,
    ):
        await runner.start(transaction, world.saga, "1", Trip("1"))
    gate.set()
    async with runner_of(database, world):
        await ends(database, "completed")
    assert world.done == ["book room", "book room", "book seat", "completed"]


@pytest.mark.parametrize(
    ("holder", "undone"),
    [("dead", ["cancel seat", "cancel room"]), ("", ["cancel room"])],
    ids=["holder died", "left cleanly"],
)
async def test_of_what_a_dead_holder_did_all_is_undone(
    database: Database, world: World, holder: str, undone: list[str]
) -> None:
    await leave_trip(database, world)
    saga = TABLES.saga
    late = update(saga).where(saga.c.id == bindparam("of")).values(holder=holder, deadline=1)
    await database.execute(Command(late), of="1")
    async with runner_of(database, world):
        await ends(database, "compensated")
    assert world.done == [*undone, "compensated: timed out"]
