"""Gives events to the handlers of one service, so that each has its effect exactly once.

A batch of events is one transaction of the subscriber's database. In it their ids go into the
inbox, where those that came before are found, and the handlers run; what they write is committed
together with the ids.

A batch is tried without any precaution first. When a handler fails, all is undone, and the batch
runs again with a savepoint around each event: the effects of the one that fails are undone, and it
is parked, in the same transaction that lets the others through. Later events of its key are parked
behind it, in their order, and `seam.events.retrying` goes on with them.

Whoever delivers must hand events over in order, beginning with the first that may not have been
delivered. Two that deliver the same events at once do no harm: a transaction that finds an id in
the inbox leaves the event alone, and both go through the same events in the same order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from seam.contract import Code, Record, StatusError
from seam.events.event import Event, microseconds
from seam.events.failures import DatabaseAwayError
from seam.events.handlers import Handlers, UnreadableError
from seam.events.parking import (
    Failure,
    check_database,
    parked,
    parked_behind,
    reason_of,
    tell_failed,
)
from seam.events.policy import Policy
from seam.events.statements import statements_of
from seam.events.subscription import Subscription
from seam.persistence import Database, Transaction


class StaleCursorError(Exception):
    """Somebody else has read on, so what was read here is out of date."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far a stream is read once a batch is through.

    Attributes:
        partition: the partition that was read.
        old: the sequence up to which it was read.
        new: the sequence up to which it will be.
    """

    partition: int
    old: int
    new: int


class _HandlerError(Exception):
    """A handler failed where nothing was prepared for that."""


@dataclass(slots=True)
class _Batch:
    """Events on their way through the handlers.

    Attributes:
        owner: the service that published them.
        records: those that are subscribed to, with what they hold; None when it cannot be read.
        failures: what is known of those that fail, by id.
        current: the one whose handler runs.
    """

    owner: str
    records: list[tuple[Event, Record | None]]
    failures: dict[str, Failure] = field(default_factory=dict)
    current: Event | None = None


class Subscriber:
    """The subscriptions of one service in this process.

    Attributes:
        service: its name.
        database: its database.
        handlers: what it does with events.
        handled: how many events its handlers have dealt with.
        failed: how many attempts have failed.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        subscriptions: Iterable[Subscription],
        policy: Policy,
    ) -> None:
        """Give events to `subscriptions`.

        Raises:
            ValueError: two of them are of one type.
        """
        self.service = service
        self.database = database
        self.handlers = Handlers(service, subscriptions, policy.handler_timeout)
        self.handled = 0
        self.failed = 0
        self._policy = policy
        self._turn = asyncio.Lock()
        self._statements = statements_of(service)

    async def deliver(self, owner: str, events: Sequence[Event], move: Move | None = None) -> None:
        """Let handlers have a batch of events, in order; those that came before are left alone.

        Args:
            owner: the service that published them.
            events: what it published, which may be of types that nobody subscribes to.
            move: how far a stream is read with that, if they come from one.

        Raises:
            DatabaseAwayError: nothing was done; the batch must be delivered again.
            StaleCursorError: nothing was done, since `move` begins elsewhere.
        """
        batch = _Batch(owner, [])
        for event in events:
            if event.type in self.handlers:
                batch.records.append((event, self._decoded(event, batch)))
        if not batch.records and move is None:
            return
        careful = bool(batch.failures)
        # One at a time: requests to the service need its database as well.
        async with self._turn:
            while not await self._attempt(batch, move, careful=careful):
                careful = True

    def _decoded(self, event: Event, batch: _Batch) -> Record | None:
        try:
            return self.handlers.decode(event)
        except UnreadableError as error:
            self._note(batch, event, Failure(str(error), hopeless=True))
            return None

    async def _attempt(self, batch: _Batch, move: Move | None, *, careful: bool) -> bool:
        """Run a batch in a transaction; False when it must be run again."""
        try:
            async with asyncio.timeout(self._policy.handler_timeout) as bound:
                async with self.database.transaction() as transaction:
                    if move is not None:
                        await self._move(transaction, batch.owner, move)
                    handled = await self._run(batch, transaction, bound, careful=careful)
        except _HandlerError:
            return False
        except TimeoutError:
            if batch.current is None:
                raise DatabaseAwayError("it does not answer in time") from None
            reason = f"took longer than {self._policy.handler_timeout:g} s"
            self._note(batch, batch.current, Failure(reason))
            return False
        except StatusError as error:
            if error.code is not Code.UNAVAILABLE:
                raise
            raise DatabaseAwayError(error.message) from None
        self.handled += handled
        self.failed += len(batch.failures)
        return True

    async def _move(self, transaction: Transaction, owner: str, move: Move) -> None:
        moved = await transaction.execute(
            self._statements.cursor.move, of=owner, part=move.partition, old=move.old, new=move.new
        )
        if moved != 1:
            raise StaleCursorError

    async def _run(
        self, batch: _Batch, transaction: Transaction, bound: asyncio.Timeout, *, careful: bool
    ) -> int:
        """Give the number of events whose handlers have done their work."""
        batch.current = None
        inbox, waiting = self._statements.inbox, self._statements.parked
        ids = [event.id for event, _ in batch.records]
        known = set(await transaction.fetch_all(inbox.known, ids=ids)) if ids else set()
        fresh = [each for each in batch.records if each[0].id not in known]
        # One batch may hold an event twice, as a stream may.
        fresh = list({event.id: (event, record) for event, record in fresh}.values())
        if not fresh:
            return 0
        now = microseconds()
        await transaction.execute_many(
            inbox.add, [{"id": event.id, "received": now} for event, _ in fresh]
        )
        keys = list({event.key for event, _ in fresh})
        blocked = set(await transaction.fetch_all(waiting.keys, of=batch.owner, keys=keys))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        bound.reschedule(begun + self._policy.handler_timeout)
        rows: list[dict[str, object]] = []
        for event, record in fresh:
            # Moving a timer costs more than most handlers.
            if loop.time() > begun + self._policy.handler_timeout / 10:
                begun = loop.time()
                bound.reschedule(begun + self._policy.handler_timeout)
            if event.key in blocked:
                rows.append(parked_behind(batch.owner, event))
                continue
            if event.id not in batch.failures and record is not None:
                batch.current = event
                if not (careful or blocked):
                    await self._handle_unprepared(event, record, transaction)
                    continue
                await self._handle_carefully(batch, event, record, transaction)
            failure = batch.failures.get(event.id)
            if failure is not None:
                rows.append(parked(self.service, batch.owner, event, failure, self._policy))
                if not rows[-1]["dead"]:
                    blocked.add(event.key)
        batch.current = None
        if rows:
            await transaction.execute_many(waiting.add, rows)
        return len(fresh) - len(rows)

    async def _handle_unprepared(
        self, event: Event, record: Record, transaction: Transaction
    ) -> None:
        try:
            await self.handlers.handle(event, record, transaction)
        except Exception as error:
            raise _HandlerError from error

    async def _handle_carefully(
        self, batch: _Batch, event: Event, record: Record, transaction: Transaction
    ) -> None:
        try:
            async with transaction.savepoint():
                await self.handlers.handle(event, record, transaction)
        except Exception as error:
            await check_database(self.database, error)
            self._note(batch, event, Failure(reason_of(error)))

    def _note(self, batch: _Batch, event: Event, failure: Failure) -> None:
        batch.failures[event.id] = failure
        tell_failed(self.service, event, failure.reason)
