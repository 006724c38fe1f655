"""What a saga does when all is well, when it is refused or stopped, and when peers are away."""

from __future__ import annotations

import asyncio
import logging

import pytest

from seam.contract import Code, StatusError
from seam.persistence import Database
from seam.sagas import FAILED, TIMED_OUT, Pace, Reason, RefusedError, Saga
from seam.testing.travel import (
    STORAGE,
    Trip,
    World,
    away,
    events,
    eventually,
    run_trip,
    runner_of,
    stored,
)


async def test_steps_are_done_in_their_order_and_the_end_is_written_with_its_effect(
    database: Database, world: World
) -> None:
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        assert world.done == ["book room", "book seat", "completed"]
        assert (await stored(database)).state == "completed"
        assert await events(runner) == [
            ("book room", "done"),
            ("book seat", "done"),
            ("", "completed"),
        ]


async def test_a_saga_of_a_transaction_that_is_undone_never_was(
    database: Database, world: World
) -> None:
    async with runner_of(database, world) as runner:

        async def fail() -> None:
            async with database.transaction() as transaction:
                await runner.start(transaction, world.saga, "1", Trip("1"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        await asyncio.sleep(0.2)
        assert world.done == []
        assert await STORAGE.find(database, "1") is None


async def test_a_refusal_undoes_what_was_done_before_it_and_not_what_was_refused(
    database: Database, world: World
) -> None:
    world.fails("book seat", RefusedError(Reason("sold out", "12A")))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        assert world.done == ["book room", "cancel room", "compensated: sold out"]
        assert (await stored(database)).state == "compensated"
        assert await events(runner) == [
            ("book room", "done"),
            ("book seat", "refused"),
            ("", "compensating"),
            ("book room", "undone"),
            ("", "compensated"),
        ]


async def test_a_first_step_that_is_refused_leaves_nothing_to_undo(
    database: Database, world: World
) -> None:
    world.fails("book room", RefusedError(Reason("sold out")))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        assert world.done == ["compensated: sold out"]


async def test_a_peer_that_is_away_is_tried_again(database: Database, world: World) -> None:
    world.fails("book seat", away(), StatusError(Code.DEADLINE_EXCEEDED, "late"), KeyError("bug"))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        assert world.done == ["book room", "book seat", "completed"]
        assert await events(runner) == [
            ("book room", "done"),
            ("book seat", "failed"),
            ("book seat", "done"),
            ("", "completed"),
        ]


async def test_a_refusal_after_an_unknown_outcome_undoes_the_step_as_well(
    database: Database, world: World
) -> None:
    world.fails("book seat", away(), RefusedError(Reason("sold out")))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
    assert world.done == ["book room", "cancel seat", "cancel room", "compensated: sold out"]


async def test_a_step_that_can_never_be_done_is_undone_at_once(
    database: Database, world: World
) -> None:
    world.fails("book seat", StatusError(Code.PERMISSION_DENIED, "no"))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
    assert world.done == ["book room", "cancel seat", "cancel room", f"compensated: {FAILED}"]


async def test_what_is_not_done_in_time_is_undone(database: Database) -> None:
    world = World(time_limit=0.3)
    world.fails("book seat", *(away() for _ in range(1000)))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
    assert world.done == ["book room", "cancel seat", "cancel room", f"compensated: {TIMED_OUT}"]


async def test_undoing_goes_on_until_it_succeeds_and_raises_the_alarm(
    database: Database, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    world.fails("book seat", RefusedError(Reason("sold out")))
    world.fails("cancel room", *(away() for _ in range(7)))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
    assert world.done == ["book room", "cancel room", "compensated: sold out"]
    assert [each.getMessage().partition(":")[0] for each in caplog.records] == ["saga trip 1"] * 2


async def test_an_end_that_is_defective_is_tried_again(
    database: Database, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.fails("completed", KeyError("bug"))
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        assert world.done == ["book room", "book seat", "book seat", "completed"]
        assert "step 'book seat' is defective" in caplog.text
        world.done.clear()
        world.fails("book seat", RefusedError(Reason("sold out")))
        world.fails("compensated", KeyError("bug"))
        await run_trip(runner, database, world, "2")
        assert world.done[-1] == "compensated: sold out"


async def test_what_is_stopped_while_it_runs_is_undone_and_not_completed(
    database: Database, world: World
) -> None:
    gate = world.gate("book seat")
    async with runner_of(database, world) as runner:
        async with database.transaction() as transaction:
            ending = await runner.start(transaction, world.saga, "1", Trip("1"))
        async with database.transaction() as transaction:
            assert await runner.stop(transaction, "1", Reason("cancelled"))
        gate.set()
        assert await ending.within(10)
        assert world.done[-3:] == ["cancel seat", "cancel room", "compensated: cancelled"]
        assert "completed" not in world.done


async def test_what_is_stopped_while_it_waits_is_undone_at_once(
    database: Database, world: World
) -> None:
    world.fails("book seat", away())
    patient = Pace(lease=5.0, poll=0.05, first_delay=5.0, longest_delay=5.0)
    async with runner_of(database, world, pace=patient) as runner:
        async with database.transaction() as transaction:
            ending = await runner.start(transaction, world.saga, "1", Trip("1"))
        await eventually(lambda record: record.holder == "", database)
        async with database.transaction() as transaction:
            assert await runner.stop(transaction, "1", Reason("cancelled"))
        assert await ending.within(4)
        assert world.done[-1] == "compensated: cancelled"


async def test_what_is_done_can_be_stopped_later_and_is_undone_once(
    database: Database, world: World
) -> None:
    async with runner_of(database, world) as runner:
        await run_trip(runner, database, world)
        for _ in range(2):
            ending = runner.ending("1")
            async with database.transaction() as transaction:
                stopped = await runner.stop(transaction, "1", Reason("cancelled"))
            if stopped:
                assert await ending.within(10)
        assert not stopped
        assert world.done[3:] == ["cancel seat", "cancel room", "compensated: cancelled"]
        assert [event for _, event in await events(runner)][2:] == [
            *("completed", "stopped", "undone", "undone", "compensated")
        ]


def test_steps_of_one_name_are_refused(world: World) -> None:
    step = world.saga.steps[0]
    with pytest.raises(ValueError, match="expected steps with different names"):
        Saga(
            "trip",
            Trip,
            steps=(step, step),
            completed=world.saga.completed,
            compensated=world.saga.compensated,
        )
