"""A saga for tests, with peers that fail as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, insert, select

from seam.contract import Code, StatusError
from seam.persistence import Command, Database, Query, Transaction
from seam.sagas import Pace, Reason, Saga, SagaRunner, Step, saga_tables
from seam.sagas.storage import SagaRecord, SagaStorage

METADATA: Final = MetaData(schema="travel")
TABLES: Final = saga_tables(METADATA)
ENDS: Final = Table(
    "trip_end",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("trip_id", String, nullable=False),
    Column("state", String, nullable=False),
)
"""The service's own effect of the end of a saga: one row each time."""

STORAGE: Final = SagaStorage(TABLES)
PACE: Final = Pace(lease=1.0, poll=0.05, attempt=2.0, first_delay=0.01, longest_delay=0.05, alarm=3)
_PATIENCE: Final = 20.0


_ADD_END: Final = Command(
    insert(ENDS).values(trip_id=bindparam("trip_id"), state=bindparam("state"))
)
_ENDS: Final = Query(select(ENDS.c.state).where(ENDS.c.trip_id == bindparam("trip_id")), str)


async def add_end(transaction: Transaction, trip_id: str, state: str) -> None:
    """Write the effect of the end of a saga."""
    await transaction.execute(_ADD_END, trip_id=trip_id, state=state)


async def ends_of(database: Database, trip_id: str) -> list[str]:
    """The effects of the end of a saga, of which there is to be one."""
    return await database.fetch_all(_ENDS, trip_id=trip_id)


class Trip(msgspec.Struct, frozen=True):
    """What the steps work with."""

    trip_id: str


class World:
    """The peers of a saga: what they did, and what they will answer.

    Attributes:
        done: what was done, in this order.
        failures: what the next calls raise, by name.
        gates: what calls wait for, by name.
        saga: the saga.
    """

    def __init__(self, *, time_limit: float = 30.0) -> None:
        """Make peers that do what they are asked for."""
        self.done: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.saga = Saga(
            "trip",
            Trip,
            steps=(
                Step("book room", do=self._book_room, undo=self._cancel_room),
                Step("book seat", do=self._book_seat, undo=self._cancel_seat),
            ),
            completed=self._completed,
            compensated=self._compensated,
            time_limit=time_limit,
        )

    def fails(self, call: str, *errors: Exception) -> None:
        """Let the next calls fail."""
        self.failures[call] = list(errors)

    def gate(self, call: str) -> asyncio.Event:
        """Hold a call up until the gate is set."""
        return self.gates.setdefault(call, asyncio.Event())

    async def _book_room(self, _: Trip) -> None:
        await self._call("book room")

    async def _cancel_room(self, _: Trip) -> None:
        await self._call("cancel room")

    async def _book_seat(self, _: Trip) -> None:
        await self._call("book seat")

    async def _cancel_seat(self, _: Trip) -> None:
        await self._call("cancel seat")

    async def _completed(self, _: Trip, __: Transaction) -> None:
        await self._call("completed")

    async def _compensated(self, _: Trip, reason: Reason, __: Transaction) -> None:
        await self._call("compensated", f": {reason.kind}")

    async def _call(self, call: str, more: str = "") -> None:
        if call in self.gates:
            await self.gates[call].wait()
        if self.failures.get(call):
            raise self.failures[call].pop(0)
        self.done.append(call + more)


@asynccontextmanager
async def runner_of(
    database: Database, world: World, *, pace: Pace = PACE
) -> AsyncIterator[SagaRunner]:
    """A runner of the saga."""
    runner = SagaRunner(database, TABLES, [world.saga], pace=pace)
    async with runner.running():
        yield runner


async def run_trip(
    runner: SagaRunner, database: Database, world: World, trip_id: str = "1"
) -> None:
    """Start a saga and wait until it has ended."""
    async with database.transaction() as transaction:
        ending = await runner.start(transaction, world.saga, trip_id, Trip(trip_id))
    assert await ending.within(_PATIENCE)


async def leave_trip(database: Database, world: World, trip_id: str = "1") -> None:
    """Start a saga that nobody runs."""
    runner = SagaRunner(database, TABLES, [world.saga])
    async with database.transaction() as transaction:
        await runner.start(transaction, world.saga, trip_id, Trip(trip_id))


async def stored(database: Database, trip_id: str = "1") -> SagaRecord:
    """A saga as it is stored."""
    found = await STORAGE.find(database, trip_id)
    assert found is not None
    return found


async def eventually(
    condition: Callable[[SagaRecord], bool], database: Database, trip_id: str = "1"
) -> None:
    """Wait until a saga is stored as `condition` wants it."""
    async with asyncio.timeout(_PATIENCE):
        while not condition(await stored(database, trip_id)):  # noqa: ASYNC110 (others change it)
            await asyncio.sleep(0.01)


async def ends(database: Database, state: str, trip_id: str = "1") -> None:
    """Wait until a saga has ended in `state`."""
    await eventually(lambda record: record.state == state, database, trip_id)


async def events(runner: SagaRunner, trip_id: str = "1") -> list[tuple[str, str]]:
    """What happened to which steps."""
    return [(each.step, each.event) for each in await runner.history(trip_id)]


def away() -> StatusError:
    """What a peer answers that is away."""
    return StatusError(Code.UNAVAILABLE, "away")
