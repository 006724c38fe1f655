"""Whatever fails, and wherever a runner dies, a saga ends, and its effects balance."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from seam.contract import Code, StatusError
from seam.persistence import Database, Transaction, open_database
from seam.sagas import Pace, Reason, RefusedError, Saga, SagaRunner, Step
from seam.testing.travel import METADATA, STORAGE, TABLES, Trip, add_end, ends_of

PACE: Final = Pace(lease=0.05, poll=0.01, first_delay=0.001, longest_delay=0.005)
TRIPS: Final = ("1", "2")

# What happens to a call: before or after its effect, and whether the runner goes on.
FATES: Final = (
    "answered",
    "answered",
    "answered",
    "lost before",
    "lost after",
    "refused",
    "forbidden",
    "dies before",
    "dies after",
)


class Fate:
    """What happens to calls and writes, one after the other; all is well in the end."""

    def __init__(self, fates: Sequence[str]) -> None:
        self._fates = list(fates)
        self.died = asyncio.Event()

    def next(self, *, can_refuse: bool = False) -> str:
        """What happens to the next one."""
        fate = self._fates.pop(0) if self._fates else "answered"
        return "answered" if fate in {"refused", "forbidden"} and not can_refuse else fate

    async def die(self) -> None:
        """End this runner: it does nothing any more."""
        self.died.set()
        await asyncio.Event().wait()


class MortalRunner(SagaRunner):
    """A runner that ends as one does that is killed: it lets go of nothing."""

    async def _let_go(self) -> None:
        tasks = [task for _, task in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Peers:
    """Rooms and seats: who holds one, and how many effects a call had."""

    def __init__(self) -> None:
        self.held: dict[str, set[str]] = {"room": set(), "seat": set()}
        self.refused_for_ever: dict[str, set[str]] = {"room": set(), "seat": set()}

    def saga(self, fate: Fate) -> Saga[Trip]:
        """The saga, whose calls meet a fate."""

        async def call(thing: str, trip: Trip, *, book: bool) -> None:
            met = fate.next(can_refuse=book)
            if met == "dies before":
                await fate.die()
            if met == "lost before":
                raise StatusError(Code.UNAVAILABLE, "lost")
            if met == "forbidden":
                raise StatusError(Code.PERMISSION_DENIED, "no")
            if met == "refused" or (book and trip.trip_id in self.refused_for_ever[thing]):
                # An answer that was given once is given again.
                if trip.trip_id in self.held[thing]:
                    return
                self.refused_for_ever[thing].add(trip.trip_id)
                raise RefusedError(Reason("refused"))
            if book:
                self.held[thing].add(trip.trip_id)
            else:
                self.held[thing].discard(trip.trip_id)
                self.refused_for_ever[thing].add(trip.trip_id)
            if met == "dies after":
                await fate.die()
            if met == "lost after":
                raise StatusError(Code.DEADLINE_EXCEEDED, "lost")

        def step(thing: str) -> Step[Trip]:
            async def do(trip: Trip) -> None:
                await call(thing, trip, book=True)

            async def undo(trip: Trip) -> None:
                await call(thing, trip, book=False)

            return Step(f"book {thing}", do=do, undo=undo)

        async def end(trip: Trip, transaction: Transaction, state: str) -> None:
            met = fate.next()
            if met.startswith("dies"):
                # In the transaction, which is then never committed.
                await fate.die()
            if met.startswith("lost"):
                raise StatusError(Code.UNAVAILABLE, "the database is away")
            await add_end(transaction, trip.trip_id, state)

        async def completed(trip: Trip, transaction: Transaction) -> None:
            await end(trip, transaction, "completed")

        async def compensated(trip: Trip, _: Reason, transaction: Transaction) -> None:
            await end(trip, transaction, "compensated")

        return Saga(
            "trip",
            Trip,
            steps=(step("room"), step("seat")),
            completed=completed,
            compensated=compensated,
        )


@asynccontextmanager
async def fresh_database() -> AsyncIterator[Database]:
    with tempfile.TemporaryDirectory() as directory:
        async with open_database(f"sqlite:///{directory}/travel.db", METADATA) as database:
            yield database


async def ended(database: Database) -> bool:
    records = [await STORAGE.find(database, trip_id) for trip_id in TRIPS]
    return all(
        record is not None and record.state in {"completed", "compensated"} for record in records
    )


async def run_until_ended(database: Database, peers: Peers, lives: Sequence[Sequence[str]]) -> None:
    """Run both sagas by one runner after the other, each of which may die; the last one lives."""
    idle = SagaRunner(database, TABLES, [peers.saga(Fate(()))])
    for trip_id in TRIPS:
        async with database.transaction() as transaction:
            await idle.start(transaction, peers.saga(Fate(())), trip_id, Trip(trip_id))
    for fates in (*lives, ()):
        fate = Fate(fates)
        runner = MortalRunner(database, TABLES, [peers.saga(fate)], pace=PACE)
        async with asyncio.timeout(30), runner.running():
            while not fate.died.is_set() and not await ended(database):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from(FATES), max_size=8), max_size=4))
def test_a_saga_ends_with_balanced_effects_whatever_happens(lives: list[list[str]]) -> None:
    async def check() -> None:
        peers = Peers()
        async with fresh_database() as database:
            await run_until_ended(database, peers, lives)
            for trip_id in TRIPS:
                record = await STORAGE.find(database, trip_id)
                assert record is not None
                kept = record.state == "completed"
                assert await ends_of(database, trip_id) == [record.state]
                for thing, holders in peers.held.items():
                    assert (trip_id in holders) == kept, thing
                events = [each.event for each in await STORAGE.history(database, trip_id)]
                assert events.count("completed") + events.count("compensated") == 1
                assert events[-1] == record.state

    asyncio.run(check())
