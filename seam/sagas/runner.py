"""Runs the sagas of a service: those that are started here, and those that others have left.

A saga that is started in a transaction runs in this process as soon as that is committed. Whoever
runs a saga holds a lease on it, which a row says and a heartbeat renews. Every runner of a service
looks for sagas that are due: those that are to be tried again, and those whose holder has died.

Which of two runners has a saga is decided by the lease's number and never by a clock. A clock that
jumps may let two of them do a step at the same time, which steps bear, and one of them write.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

import msgspec

from seam.contract import StatusError
from seam.persistence import Database, Transaction
from seam.sagas.attempts import Pace
from seam.sagas.run import Run
from seam.sagas.saga import Reason, Saga
from seam.sagas.storage import FencedError, Happening, Lease, SagaRecord, SagaStorage
from seam.sagas.tables import COMPENSATED, COMPLETED, RUNNING, SagaTables

log = logging.getLogger(__name__)

D = TypeVar("D", bound=msgspec.Struct)

MAXIMUM_RUNS: Final = 64
"""Sagas that one process runs at a time; further ones wait in the database."""

_MICROS: Final = 1_000_000
_SETTLING: Final = 5.0
_UNREADABLE_DELAY: Final = 60.0


class Ending:
    """Tells when a saga has ended in this process."""

    def __init__(self) -> None:
        """Wait for a saga that goes on."""
        self._ended = asyncio.Event()

    def tell(self) -> None:
        """The saga has ended."""
        self._ended.set()

    async def within(self, seconds: float) -> bool:
        """Wait for the end for so long; False when it has not come."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return False
        return True


class SagaRunner:
    """Starts, stops and runs the sagas of one service."""

    def __init__(
        self,
        database: Database,
        tables: SagaTables,
        sagas: Sequence[Saga[Any]],
        *,
        pace: Pace = Pace(),  # noqa: B008
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Run `sagas`, which are stored in `tables` of `database`, at some pace by some clock."""
        self._database = database
        self._storage = SagaStorage(tables)
        self._sagas = {saga.name: saga for saga in sagas}
        self._pace = pace
        self._clock = clock
        self._name = uuid.uuid4().hex
        self._runs: dict[str, tuple[Run[Any] | None, asyncio.Task[None]]] = {}
        self._endings: WeakValueDictionary[str, Ending] = WeakValueDictionary()
        self._wake = asyncio.Event()
        self._told: set[str] = set()
        self._open = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run sagas until the block ends; those that are under way then have a moment to end."""
        self._open = True
        looking = asyncio.create_task(self._look(), context=Context())
        try:
            yield
        finally:
            self._open = False
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await self._let_go()

    async def start(self, transaction: Transaction, saga: Saga[D], saga_id: str, data: D) -> Ending:
        """Start a saga in the transaction that makes what it is about.

        Args:
            transaction: the saga exists, and runs, once it is committed.
            saga: the saga.
            saga_id: its identity, which its steps give to their effects.
            data: what its steps work with.

        Returns:
            What tells when it has ended.
        """
        # A full house leaves it to whoever has room first.
        here = self._open and len(self._runs) < MAXIMUM_RUNS
        now = self._now()
        record = SagaRecord(
            id=saga_id,
            name=saga.name,
            state=RUNNING,
            step=saga.steps[0].name,
            attempts=0,
            due_at=self._until() if here else now,
            lease=1,
            holder=self._name if here else "",
            started_at=now,
            deadline=now + int(saga.time_limit * _MICROS),
            data=msgspec.json.encode(data).decode(),
            stop=None,
            reason=None,
        )
        await self._storage.add(transaction, record)
        if here:
            transaction.after_commit(
                lambda: self._begin(record, Lease(saga_id, 1), abandoned=False)
            )
        else:
            transaction.after_commit(self._wake.set)
        return self.ending(saga_id)

    async def stop(self, transaction: Transaction, saga_id: str, reason: Reason) -> bool:
        """Have a saga undone that runs, or that is done, in the transaction that asks for it.

        Returns:
            False when there is nothing to undo: the saga is being undone, or is undone.
        """
        if not await self._storage.stop(transaction, saga_id, reason):
            return False
        stopped = Happening(self._now(), "", "stopped", reason.kind)
        await self._storage.note(transaction, saga_id, [stopped])
        transaction.after_commit(self._wake.set)
        return True

    def look(self) -> None:
        """Look at once for sagas that are due, and not only when it is time again."""
        self._wake.set()

    def ending(self, saga_id: str) -> Ending:
        """What tells when a saga has ended, if that happens here and from now on."""
        ending = self._endings.get(saga_id)
        if ending is None:
            ending = self._endings[saga_id] = Ending()
        return ending

    async def history(self, saga_id: str) -> list[Happening]:
        """What happened to a saga, in this order."""
        return await self._storage.history(self._database, saga_id)

    def _now(self) -> int:
        return int(self._clock() * _MICROS)

    def _until(self) -> int:
        return self._now() + int(self._pace.lease * _MICROS)

    def _begin(self, record: SagaRecord, lease: Lease, *, abandoned: bool) -> None:
        # A saga outlives the call that starts it: it takes none of its context, nor its deadline.
        run = self._prepared(record, lease, abandoned=abandoned)
        going = self._go(run) if run is not None else self._postpone(record, lease)
        task = asyncio.create_task(going, context=Context())
        self._runs[record.id] = (run, task)
        task.add_done_callback(lambda _: self._ended(record.id))

    def _prepared(self, record: SagaRecord, lease: Lease, *, abandoned: bool) -> Run[Any] | None:
        saga = self._sagas.get(record.name)
        try:
            if saga is None:
                raise ValueError("no saga of this version has its name")
            return Run(
                saga,
                record,
                lease,
                abandoned=abandoned,
                database=self._database,
                storage=self._storage,
                pace=self._pace,
                now=self._now,
            )
        except ValueError as error:
            if record.id not in self._told:
                self._told.add(record.id)
                log.error(  # noqa: TRY400 (it is no defect)
                    "saga %s %s is left as it is: %s", record.name, record.id, error
                )
            return None

    def _ended(self, saga_id: str) -> None:
        self._runs.pop(saga_id, None)
        if len(self._runs) == MAXIMUM_RUNS - 1:
            self._wake.set()

    async def _go(self, run: Run[Any]) -> None:
        try:
            delay = await run.go()
        except FencedError:
            return
        except StatusError as error:
            log.info("saga %s %s waits: %s", run.record.name, run.record.id, error)
            return
        except Exception:
            log.exception("saga %s %s failed", run.record.name, run.record.id)
            return
        if delay is not None:
            asyncio.get_running_loop().call_later(delay, self._wake.set)
            return
        # What is stopped later ends once more.
        ending = self._endings.pop(run.record.id, None)
        if ending is not None:
            ending.tell()

    async def _postpone(self, record: SagaRecord, lease: Lease) -> None:
        """Leave a saga alone that a newer version may understand."""
        later = self._now() + int(_UNREADABLE_DELAY * _MICROS)
        try:
            await self._storage.renew(self._database, lease, later)
        except StatusError as error:
            log.info("saga %s %s waits: %s", record.name, record.id, error)

    async def _look(self) -> None:
        """Look for sagas that are due, and keep those that run here."""
        while True:
            try:
                await self._renew()
                await self._take_due()
            except StatusError as error:
                # Persistence tells the log once that the database is away.
                log.debug("cannot look for sagas: %s", error)
            except Exception:
                log.exception("looking for sagas failed")
            try:
                async with asyncio.timeout(self._pace.poll):
                    await self._wake.wait()
            except TimeoutError:
                continue
            self._wake.clear()

    async def _take_due(self) -> None:
        while (room := MAXIMUM_RUNS - len(self._runs)) > 0:
            now = self._now()
            longest = max(self._pace.lease, self._pace.longest_delay, _UNREADABLE_DELAY)
            horizon = now + int(2 * longest * _MICROS)
            due = await self._storage.due(self._database, now, horizon, room)
            found = [record for record in due if record.id not in self._runs]
            for record in found:
                if await self._storage.take(self._database, record, self._name, self._until()):
                    abandoned = record.holder != ""
                    self._begin(record, Lease(record.id, record.lease + 1), abandoned=abandoned)
            if len(due) < room or not found:
                return

    async def _renew(self) -> None:
        now = asyncio.get_running_loop().time()
        for saga_id, (run, task) in list(self._runs.items()):
            if run is None or now - run.taken_at < self._pace.lease / 3:
                continue
            if await self._storage.renew(self._database, run.lease, self._until()):
                run.taken_at = now
            elif saga_id in self._runs:
                # Somebody took it, so what is done here is done twice.
                task.cancel()

    async def _let_go(self) -> None:
        """Let runs end; leave what does not to whoever is there next."""
        if self._runs:
            await asyncio.wait([task for _, task in self._runs.values()], timeout=_SETTLING)
        left = dict(self._runs)
        for _, task in left.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in left.values()), return_exceptions=True)
        for saga_id, (run, _) in left.items():
            if run is not None:
                try:
                    await self._storage.renew(self._database, run.lease, self._now())
                except StatusError as error:
                    log.info("saga %s waits for its lease to end: %s", saga_id, error)


def has_ended(state: str) -> bool:
    """Whether a saga in this state has ended."""
    return state in {COMPLETED, COMPENSATED}
