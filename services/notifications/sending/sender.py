"""Sends mails that wait, with others who do the same.

A mail is taken by a lease, handed to the server, and marked as sent. Between the server's answer
and the mark lies a moment in which this process, or the connection, may end: nobody knows then
whether the server has the mail, and SMTP cannot tell (RFC 1047). So a mail is sent once unless that
happens. If it does it is sent again, with the same `Message-ID`, by which servers and mail programs
know it: two mails do less harm than none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

from seam.contract import StatusError
from seam.outages import Outage
from seam.persistence import Database
from services.notifications.domain.pace import MAXIMUM_ATTEMPTS, delay_after
from services.notifications.persistence.mails import Mail, MailRepository, MailState
from services.notifications.sending.message import message_of
from services.notifications.sending.server import (
    PutOffError,
    RefusedError,
    Server,
    ServerAwayError,
    ServerLocation,
    connected,
)

log = logging.getLogger(__name__)

LEASE: Final = 120.0
"""Seconds for which others leave a mail to whoever has taken it: longer than sending may take."""

POLL: Final = 1.0
"""Seconds between two looks for mails."""

AWAY: Final = (2.0, 30.0)
"""Seconds until it is tried again when the server is away, at first and at most."""

KEPT: Final = 30 * 86_400.0
"""Seconds for which mails that have ended are kept: they say who bought what."""

_BATCH: Final = 20
_TRIMMED: Final = 500
_MICROS: Final = 1_000_000
_HORIZON: Final = 2 * 86_400.0
_TRIMMING: Final = 3_600.0


class Sender:
    """Sends the mails of one database.

    Attributes:
        sent: how many mails it has handed over.
        failed: how many it has given up.
    """

    def __init__(
        self,
        database: Database,
        location: ServerLocation,
        *,
        clock: Callable[[], float] = time.time,
        poll: float = POLL,
    ) -> None:
        """Send what `database` has to the server at `location`."""
        self.sent = 0
        self.failed = 0
        self._mails = MailRepository(database)
        self._location = location
        self._clock = clock
        self._poll = poll
        self._outage = Outage(f"the SMTP server {location.host}:{location.port}")
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send until the block ends; a mail that is being handed over then is finished."""
        task = asyncio.create_task(self._run(), context=Context())
        try:
            yield
        finally:
            self._stopping.set()
            _, late = await asyncio.wait([task], timeout=5)
            for each in late:
                each.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def send_due(self) -> int:
        """Send mails that are due, and tell how many were handled.

        Raises:
            ServerAwayError: the server is away; mails wait.
        """
        now = self._now()
        due = await self._mails.due(now, now + int(_HORIZON * _MICROS), _BATCH)
        if not due:
            return 0
        count = 0
        async with connected(self._location) as server:
            for mail in due:
                if self._stopping.is_set():
                    break
                lease = await self._mails.take(mail, self._now() + int(LEASE * _MICROS))
                if lease is not None:
                    await self._send(server, mail, lease)
                    count += 1
        return count

    async def _send(self, server: Server, mail: Mail, lease: int) -> None:
        try:
            message = message_of(mail, self._location.sender)
        except ValueError as error:
            await self._give_up(mail, lease, f"cannot be written: {error}"[:500])
            return
        try:
            await server.send(mail.recipient, message)
        except ServerAwayError as error:
            await self._mails.put_off(mail, lease, self._now(), str(error), tried=False)
            raise
        except RefusedError as error:
            await self._fail(mail, lease, str(error))
        except PutOffError as error:
            await self._put_off(mail, lease, str(error))
        else:
            self.sent += 1
            await self._mails.end(mail, lease, MailState.SENT, "")

    async def _put_off(self, mail: Mail, lease: int, reason: str) -> None:
        attempts = mail.attempts + 1
        if attempts >= MAXIMUM_ATTEMPTS:
            await self._fail(mail, lease, f"put off {attempts} times: {reason}")
            return
        until = self._now() + int(delay_after(attempts) * _MICROS)
        await self._mails.put_off(mail, lease, until, reason, tried=True)

    async def _fail(self, mail: Mail, lease: int, reason: str) -> None:
        # Who it was for is in the database, and need not be in the log.
        log.warning("mail %s cannot be sent: %s", mail.mail_id, reason)
        await self._give_up(mail, lease, reason)

    async def _give_up(self, mail: Mail, lease: int, reason: str) -> None:
        self.failed += 1
        await self._mails.end(mail, lease, MailState.FAILED, reason)

    async def _run(self) -> None:
        delay, away, trimmed = 0.0, AWAY[0], -_TRIMMING
        while not await self._stopped_within(delay):
            delay = self._poll
            try:
                if asyncio.get_running_loop().time() - trimmed > _TRIMMING:
                    await self._trim()
                    trimmed = asyncio.get_running_loop().time()
                if await self.send_due():
                    # Others may wait behind them.
                    delay, away = 0.0, AWAY[0]
                    self._outage.answered()
            except ServerAwayError as error:
                self._outage.failed(str(error))
                delay, away = away, min(AWAY[1], 2 * away)
            except StatusError as error:
                # Persistence tells the log once that the database is away.
                log.debug("cannot look for mails: %s", error)
            except Exception:
                log.exception("sending mails failed")
                delay = AWAY[0]

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    async def _trim(self) -> None:
        before = self._now() - int(KEPT * _MICROS)
        while await self._mails.remove_old(before, _TRIMMED):
            pass

    def _now(self) -> int:
        return int(self._clock() * _MICROS)
