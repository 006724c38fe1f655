"""Goes on with parked events: tries them again, later each time, and gives up in the end."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from seam.contract import Record, StatusError
from seam.events.event import microseconds
from seam.events.failures import DatabaseAwayError
from seam.events.parking import check_database, reason_of, tell_dead, tell_failed
from seam.events.policy import Policy
from seam.events.statements import Parked, statements_of
from seam.events.subscriber import Subscriber

log = logging.getLogger(__name__)

_AT_ONCE: Final = 100
_TRIM_AT_ONCE: Final = 1_000
_SWEEP_INTERVAL: Final = 5.0


class Retrying:
    """Tries the parked events of one service again, and trims its inbox."""

    def __init__(self, subscriber: Subscriber, policy: Policy) -> None:
        """Give events to the handlers of `subscriber`."""
        self._subscriber = subscriber
        self._policy = policy
        self._statements = statements_of(subscriber.service)
        self._swept: float | None = None
        self._trimmed: float | None = None

    async def run(self) -> None:
        """Look for what is due, until cancelled."""
        failures = 0
        while True:
            try:
                busy = await self._round()
                failures = 0
            except (DatabaseAwayError, StatusError) as error:
                # The database's own outage is in the log.
                log.debug("retries of %s: %s", self._subscriber.service, error)
                failures += 1
                await asyncio.sleep(self._policy.pause(failures))
                continue
            if not busy:
                await asyncio.sleep(self._policy.poll)

    async def _round(self) -> bool:
        database, parked = self._subscriber.database, self._statements.parked
        now = microseconds()
        due = await database.fetch_all(parked.due, now=now, limit=_AT_ONCE)
        for each in due:
            await self._retry(each.event.position)
        if not due:
            await self._tidy(now)
        return bool(due)

    async def _tidy(self, now: int) -> None:
        seconds = asyncio.get_running_loop().time()
        if self._swept is None or seconds - self._swept > _SWEEP_INTERVAL:
            self._swept = seconds
            # One that was parked while the one before it succeeded has nobody to wait for.
            await self._subscriber.database.execute(self._statements.parked.wake_all, now=now)
            # Nothing is put off for so long, unless the clock was set back since.
            horizon = now + int(2e6 * self._policy.longest_delay)
            await self._subscriber.database.execute(
                self._statements.parked.hasten, now=now, horizon=horizon
            )
        if self._trimmed is None or seconds - self._trimmed > self._policy.trim_interval:
            self._trimmed = seconds
            await self.trim()

    async def trim(self) -> None:
        """Forget the ids of events that nothing delivers any more."""
        before = microseconds() - int(self._policy.inbox_age * 1e6)
        trim = self._statements.inbox.trim
        while True:
            removed = await self._subscriber.database.execute(
                trim, before=before, limit=_TRIM_AT_ONCE
            )
            if removed < _TRIM_AT_ONCE:
                return

    async def _retry(self, number: int) -> None:
        subscriber, parked = self._subscriber, self._statements.parked
        entry: Parked | None = None
        record: Record | None = None
        try:
            async with (
                asyncio.timeout(self._policy.handler_timeout),
                subscriber.database.transaction() as transaction,
            ):
                entry = await transaction.fetch_one(parked.lock, which=number)
                if entry is None:
                    return
                event = entry.event
                record = subscriber.handlers.decode(event)
                await subscriber.handlers.handle(event, record, transaction)
                await transaction.execute(parked.remove, which=number)
                await transaction.execute(
                    parked.wake_key, of=entry.owner, about=event.key, now=microseconds()
                )
        except Exception as error:
            if entry is None:
                raise DatabaseAwayError(reason_of(error)) from None
            await check_database(subscriber.database, error)
            reason = str(error) if record is None else reason_of(error)
            if isinstance(error, TimeoutError) and not str(error):
                reason = f"took longer than {self._policy.handler_timeout:g} s"
            await self._failed(entry, reason, hopeless=record is None)
        else:
            subscriber.handled += 1

    async def _failed(self, entry: Parked, reason: str, *, hopeless: bool) -> None:
        subscriber, parked, event = self._subscriber, self._statements.parked, entry.event
        attempts = entry.attempts + 1
        dead = hopeless or attempts >= self._policy.attempts
        due = microseconds() + int(self._policy.delay(attempts) * 1e6)
        async with subscriber.database.transaction() as transaction:
            await transaction.execute(
                parked.fail,
                which=event.position,
                tried=attempts,
                why=reason,
                is_dead=dead,
                at=None if dead else due,
            )
            if dead:
                await transaction.execute(
                    parked.wake_key, of=entry.owner, about=event.key, now=microseconds()
                )
        subscriber.failed += 1
        if dead:
            tell_dead(subscriber.service, event, reason)
        else:
            tell_failed(subscriber.service, event, reason, attempts)
