"""One run of one saga: from where it was taken to where it ends, or is left for a later try.

The happy way writes once, at the end: with what the saga is for, in one transaction. Nothing has to
be written between the steps, since each may be done again; after a crash the saga goes on where
the last writing left it. Before anything is undone, that is written, since there is no way back.

What may have been begun is undone: up to the step that this run has reached, or up to the last one
when the run before it has died and nobody knows how far it came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import msgspec

from seam.contract import StatusError
from seam.persistence import Database
from seam.sagas.attempts import Pace, is_final, told
from seam.sagas.saga import FAILED, TIMED_OUT, Reason, RefusedError, Saga, Step
from seam.sagas.storage import FencedError, Happening, Lease, SagaRecord, SagaStorage, read
from seam.sagas.tables import COMPENSATING, RUNNING

log = logging.getLogger(__name__)

D = TypeVar("D", bound=msgspec.Struct)

_MICROS = 1_000_000


class Run(Generic[D]):
    """What one holder does with a saga that it has taken.

    Attributes:
        record: the saga as it was taken.
        lease: the lease under which it is written.
        taken_at: when the lease was taken or renewed last, on the clock of the event loop.
    """

    def __init__(
        self,
        saga: Saga[D],
        record: SagaRecord,
        lease: Lease,
        *,
        abandoned: bool,
        database: Database,
        storage: SagaStorage,
        pace: Pace,
        now: Callable[[], int],
    ) -> None:
        """Prepare to run a saga.

        Args:
            saga: what is to be done.
            record: the saga as it was taken.
            lease: the lease under which it was taken.
            abandoned: whether who had it before has died with it.
            database: where it is stored.
            storage: stores it.
            pace: how patient to be.
            now: tells the time in microseconds since the epoch.

        Raises:
            ValueError: this version cannot read the saga; says why.
        """
        position = saga.position(record.step)
        if position is None:
            raise ValueError(f"it is at the step '{record.step}', which is not known")
        try:
            self._data = msgspec.json.decode(record.data, type=saga.data)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"its data cannot be read: {error}") from None
        self.record = record
        self.lease = lease
        self.taken_at = asyncio.get_running_loop().time()
        self._saga = saga
        self._at = position
        self._begun = len(saga.steps) - 1 if abandoned else position
        self._failures = record.attempts
        self._database = database
        self._storage = storage
        self._pace = pace
        self._now = now
        self._happened: list[Happening] = []
        self._called = f"saga {saga.name} {record.id}"

    async def go(self) -> float | None:
        """Bring the saga to its end, or as far as it comes now.

        Returns:
            In how many seconds it is to be tried again; None when it has ended.

        Raises:
            FencedError: somebody else has taken it.
            StatusError: the database does not answer; whoever finds the lease ended goes on.
        """
        if self.record.state == COMPENSATING:
            return await self._undo_from(self._at, self._reason())
        try:
            return await self._forward()
        except FencedError:
            return await self._stopped()

    async def _forward(self) -> float | None:
        if self._now() >= self.record.deadline:
            return await self._compensate(self._begun, Reason(TIMED_OUT))
        while self._at < len(self._saga.steps):
            step = self._saga.steps[self._at]
            self._begun = max(self._begun, self._at)
            try:
                await self._attempt(step.do)
            except RefusedError as refusal:
                self._note(step.name, "refused", refusal.reason.kind)
                # It had no effect this time. Of an earlier time nothing is known.
                first_time = self._begun == self._at and self._failures == 0
                undone = self._at - 1 if first_time else self._begun
                return await self._compensate(undone, refusal.reason)
            except Exception as error:
                return await self._failed(step, error)
            self._note(step.name, "done")
            self._at += 1
            self._failures = 0
        return await self._complete()

    async def _attempt(self, what: Callable[[D], Awaitable[None]]) -> None:
        async with asyncio.timeout(self._pace.attempt):
            await what(self._data)

    async def _failed(self, step: Step[D], error: Exception) -> float | None:
        """Try a step again later, or turn round."""
        self._tell(step.name, "failed", error)
        if is_final(error):
            return await self._compensate(self._begun, Reason(FAILED, told(error)))
        delay = self._pace.delay(self._failures)
        if self._now() + delay * _MICROS >= self.record.deadline:
            return await self._compensate(self._begun, Reason(TIMED_OUT, told(error)))
        return await self._retry(step.name, delay)

    def _tell(self, step: str, event: str, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            # Later ones are the same again, and a saga may wait for days.
            self._note(step, event, told(error))
        if not isinstance(error, (StatusError, TimeoutError)):
            log.error("%s: step '%s' is defective", self._called, step, exc_info=error)

    async def _complete(self) -> float | None:
        last = self._saga.steps[-1]
        self._note("", "completed")
        try:
            async with self._database.transaction() as transaction:
                await self._storage.complete(transaction, self.lease, last.name)
                await self._saga.completed(self._data, transaction)
                await self._storage.note(transaction, self.record.id, self._happened)
        except (FencedError, StatusError):
            self._happened.pop()
            raise
        except Exception as error:
            self._happened.pop()
            return await self._failed(last, error)
        return None

    async def _compensate(self, begun: int, reason: Reason) -> float | None:
        """Turn round, and undo all steps up to `begun`."""
        if begun < 0:
            return await self._end(reason)
        self._note("", "compensating", reason.kind)
        self._failures = 0
        async with self._database.transaction() as transaction:
            step = self._saga.steps[begun].name
            await self._storage.compensate(transaction, self.lease, step, reason)
            await self._storage.note(transaction, self.record.id, self._happened)
        self._happened.clear()
        return await self._undo_from(begun, reason)

    async def _undo_from(self, position: int, reason: Reason) -> float | None:
        for step in reversed(self._saga.steps[: position + 1]):
            try:
                await self._attempt(step.undo)
            except Exception as error:
                self._tell(step.name, "undoing failed", error)
                if self._failures % self._pace.alarm == 0:
                    log.error(  # noqa: TRY400 (the same again and again, and no defect)
                        "%s: step '%s' could not be undone %d times, and will be tried again: %s",
                        self._called,
                        step.name,
                        self._failures,
                        told(error),
                    )
                return await self._retry(step.name, self._pace.delay(self._failures))
            self._note(step.name, "undone")
            self._failures = 0
        return await self._end(reason)

    async def _end(self, reason: Reason) -> float | None:
        """End as undone."""
        self._note("", "compensated", reason.kind)
        try:
            async with self._database.transaction() as transaction:
                await self._storage.compensated(transaction, self.lease, reason)
                await self._saga.compensated(self._data, reason, transaction)
                await self._storage.note(transaction, self.record.id, self._happened)
        except (FencedError, StatusError):
            raise
        except Exception as error:
            self._happened.pop()
            # Undoing it again costs less than a state of its own for what is all undone.
            first = self._saga.steps[0].name
            self._tell("", "undoing failed", error)
            return await self._retry(first, self._pace.delay(self._failures))
        return None

    async def _retry(self, step: str, delay: float) -> float:
        due = self._now() + int(delay * _MICROS)
        async with self._database.transaction() as transaction:
            await self._storage.retry(transaction, self.lease, step, self._failures, due)
            await self._storage.note(transaction, self.record.id, self._happened)
        return delay

    async def _stopped(self) -> float | None:
        """Find out why the saga could not be written: it is to be stopped, or somebody has it."""
        found = await self._storage.find(self._database, self.record.id)
        if found is None or found.lease != self.lease.number or found.state != RUNNING:
            raise FencedError
        assert found.stop is not None
        return await self._compensate(self._begun, read(found.stop))

    def _reason(self) -> Reason:
        return Reason(FAILED) if self.record.reason is None else read(self.record.reason)

    def _note(self, step: str, event: str, detail: str = "") -> None:
        self._happened.append(Happening(self._now(), step, event, detail))
