"""A program that runs one saga and kills itself at a named point, for tests.

    killed_trip.py DATABASE_URL FOLDER POINT OUTCOME

FOLDER holds one file for each thing that is booked. POINT is a name of `POINTS`, or "never".
OUTCOME is "booked", or "refused" to have the last step refused. When the saga has ended, its state
is printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

from seam.persistence import Transaction, open_database
from seam.sagas import Pace, Reason, RefusedError, Saga, SagaRunner, Step
from seam.testing.travel import METADATA, STORAGE, TABLES, Trip, add_end

POINTS: Final = {
    "booked": (
        *("before book room", "after book room", "before book seat", "after book seat"),
        *("before completed", "after completed", "after the commit"),
    ),
    "refused": (
        *("before cancel room", "after cancel room"),
        *("before compensated", "after compensated", "after the commit"),
    ),
}
"""Where it can kill itself, by outcome."""

_PACE: Final = Pace(lease=0.3, poll=0.05, first_delay=0.01, longest_delay=0.05)
_TIME_LIMIT: Final = 60.0


class Travel:
    """The steps of a saga, whose effects are files."""

    def __init__(self, folder: Path, point: str, outcome: str) -> None:
        """Book in `folder`, and die at `point`."""
        self._folder = folder
        self._point = point
        self._outcome = outcome
        self.saga = Saga(
            "trip",
            Trip,
            steps=(
                Step("book room", do=self._book_room, undo=self._cancel_room),
                Step("book seat", do=self._book_seat, undo=self._cancel_seat),
            ),
            completed=self._completed,
            compensated=self._compensated,
        )

    def reach(self, point: str) -> None:
        """Die, if this is the point."""
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    async def _book_room(self, _: Trip) -> None:
        self.reach("before book room")
        (self._folder / "room").touch()
        self.reach("after book room")

    async def _cancel_room(self, _: Trip) -> None:
        self.reach("before cancel room")
        (self._folder / "room").unlink(missing_ok=True)
        self.reach("after cancel room")

    async def _book_seat(self, _: Trip) -> None:
        self.reach("before book seat")
        if self._outcome == "refused":
            raise RefusedError(Reason("sold out"))
        (self._folder / "seat").touch()
        self.reach("after book seat")

    async def _cancel_seat(self, _: Trip) -> None:
        (self._folder / "seat").unlink(missing_ok=True)

    async def _completed(self, trip: Trip, transaction: Transaction) -> None:
        await self._end(trip, transaction, "completed")

    async def _compensated(self, trip: Trip, _: Reason, transaction: Transaction) -> None:
        await self._end(trip, transaction, "compensated")

    async def _end(self, trip: Trip, transaction: Transaction, state: str) -> None:
        self.reach(f"before {state}")
        await add_end(transaction, trip.trip_id, state)
        self.reach(f"after {state}")
        transaction.after_commit(lambda: self.reach("after the commit"))


async def run(url: str, travel: Travel) -> str:
    """Start the saga, or go on with it, and tell the state in which it ends."""
    async with open_database(url, METADATA) as database:
        runner = SagaRunner(database, TABLES, [travel.saga], pace=_PACE)
        async with asyncio.timeout(_TIME_LIMIT), runner.running():
            if await STORAGE.find(database, "1") is None:
                async with database.transaction() as transaction:
                    await runner.start(transaction, travel.saga, "1", Trip("1"))
            while True:
                record = await STORAGE.find(database, "1")
                if record is not None and record.state in {"completed", "compensated"}:
                    return record.state
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    url, folder, point, outcome = sys.argv[1:]
    sys.stdout.write(asyncio.run(run(url, Travel(Path(folder), point, outcome))))
