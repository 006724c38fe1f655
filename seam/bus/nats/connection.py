"""The link of a process to a NATS server, which is made again whenever it breaks.

A link that breaks is left behind with all that was under way: nothing of it is sent on the next
one, so that no call is made after its caller was told that it failed. nats-py could reconnect by
itself, and would then send what it has kept; so each link has a client of its own. Whatever nats-py
finds wrong, a message that it had to drop included, breaks the link; only where the server does not
let the process send a message, nothing but that message is lost.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from seam.bus.nats.protocol import INTERVAL, LEAST_PAYLOAD, PATIENCE
from seam.outages import Outage

log = logging.getLogger(__name__)

_CONNECT_TIMEOUT: Final = 3.0
_CLOSE_TIMEOUT: Final = 1.0
_DRAIN_TIMEOUT: Final = 2.0
_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 1.0
_NOT_LET: Final = "permissions violation for publish"
"""How NATS says that a user may not send there: for calls, not in the name of that service."""

_NUMBER: Final = re.compile("[0-9]{1,18}")


class Party(Protocol):
    """Who uses a connection: the caller's or the callee's side of calls."""

    def received(self, number: int, message: Msg) -> None:
        """Take a message that was sent to a subject of the inbox."""
        ...

    def tick(self) -> None:
        """Send signs of life, and leave calls whose other side is silent."""
        ...

    def lost(self) -> None:
        """End all calls: the link is broken."""
        ...


class Connection:
    """The links to one NATS server, one after the other.

    Attributes:
        inbox: what the process's own subjects begin with; "" while there is no link.
    """

    def __init__(self, url: str, party: Party) -> None:
        """Describe a connection that is not open yet; see `connecting`."""
        self.address = address_of(url)
        self.inbox = ""
        self._url = url
        self._party = party
        self._link: _Link | None = None
        self._wanted: dict[str, Callable[[Msg], None]] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._outage = Outage(f"the NATS server at {self.address}")
        self._tried = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def post(self, subject: str, data: bytes, reply: str = "") -> None:
        """Send a message; without a link it is lost, as its call is."""
        if self._link is not None:
            self._link.post(subject, data, reply)

    async def listen(self, subject: str, receive: Callable[[Msg], None]) -> None:
        """Share the messages to a subject with all who listen to it, on this link and the next."""
        self._wanted[subject] = receive
        if self._link is not None and subject not in self._subscriptions:
            with suppress(Error, OSError):
                await self._subscribe(self._link, subject)
                await self._link.client.flush()

    async def stop_listening(self, subject: str) -> None:
        """Leave a subject to others, once what NATS has sent already has been received."""
        self._wanted.pop(subject, None)
        subscription = self._subscriptions.pop(subject, None)
        if subscription is not None:
            with suppress(Error, OSError):
                async with asyncio.timeout(_DRAIN_TIMEOUT):
                    await subscription.drain()  # type: ignore[no-untyped-call]

    def start(self) -> None:
        """Make the first link, and the next ones, until `close`."""
        self._running = asyncio.create_task(self._run())

    async def tried(self) -> None:
        """Wait until there is a link, or the first attempt to make one has failed."""
        await self._tried.wait()

    async def close(self) -> None:
        """End the link, after what was posted."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        pause = _PAUSE
        while True:
            link = _Link(self._party)
            try:
                await self._open(link)
                self._tried.set()
                self._outage.answered()
                pause = _PAUSE
                reason = await link.broken
            except Exception as error:
                # What nats-py raises at what is no NATS server is not only its own errors.
                reason = str(error) or type(error).__name__
            finally:
                self._link, self.inbox = None, ""
                self._subscriptions.clear()
                self._party.lost()
                await link.close()
            self._tried.set()
            self._outage.failed(reason)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _open(self, link: _Link) -> None:
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            inbox = await link.open(self._url)
            # Again, for what was asked for in the meantime.
            while missing := self._wanted.keys() - self._subscriptions.keys():
                for subject in missing:
                    await self._subscribe(link, subject)
                # Its answer says that all subscriptions are in force.
                await link.client.flush()
        self._link, self.inbox = link, inbox

    async def _subscribe(self, link: _Link, subject: str) -> None:
        receive = self._wanted.get(subject)
        if receive is None:
            return
        subscription = await link.subscribe(subject, receive, subject)
        if subject in self._wanted:
            self._subscriptions[subject] = subscription
        else:
            await subscription.unsubscribe()


class _Client(Client):
    """nats-py's client, which does not try to do something about a link that breaks by itself."""

    async def _process_op_err(self, e: Exception) -> None:
        # nats-py would write once more to what is broken, and fail in a task that nobody looks at.
        await self._error_cb(e)

    def abandon(self) -> None:
        """Let go of what `close` leaves open when it fails midway."""
        for subscription in self._subs.values():
            subscription._stop_processing()  # noqa: SLF001
        self._subs.clear()
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]


class _Link:
    """One link, from when it is made until it breaks."""

    def __init__(self, party: Party) -> None:
        self.client = _Client()
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._party = party
        self._posted: deque[tuple[str, bytes, str]] = deque()
        self._idle: asyncio.Future[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._not_let = False

    async def open(self, url: str) -> str:
        """Connect; gives the inbox.

        Raises:
            Error: the server refuses, or cannot be used.
            OSError: it cannot be reached.
        """
        connecting = asyncio.ensure_future(
            self.client.connect(url, error_cb=self._failed, allow_reconnect=False)
        )
        try:
            # By itself, nats-py would try again and again.
            await asyncio.wait((connecting, self.broken), return_when=asyncio.FIRST_COMPLETED)
            if self.broken.done():
                raise Error(self.broken.result())
            await connecting
        finally:
            connecting.cancel()
        if self.client.max_payload < LEAST_PAYLOAD:
            raise Error(f"its max_payload is {self.client.max_payload}; expected {LEAST_PAYLOAD}")
        inbox = self.client.new_inbox()
        begin = len(inbox) + 1

        def take(message: Msg) -> None:
            number = message.subject[begin:]
            if _NUMBER.fullmatch(number):
                self._party.received(int(number), message)

        await self.subscribe(f"{inbox}.*", take)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._write()), loop.create_task(self._watch())]
        return inbox

    async def subscribe(
        self, subject: str, receive: Callable[[Msg], None], queue: str = ""
    ) -> Subscription:
        async def take(message: Msg) -> None:
            receive(message)

        return await self.client.subscribe(subject, queue=queue, cb=take)

    def post(self, subject: str, data: bytes, reply: str) -> None:
        self._posted.append((subject, data, reply))
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def close(self) -> None:
        """Send what was posted, if that goes at once, and leave the link."""
        for task in self._tasks:
            task.cancel()
        with suppress(Error, OSError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                if self._tasks:
                    await asyncio.wait(self._tasks)
                while self._posted and not self.broken.done():
                    await self.client.publish(*self._posted.popleft())
                await self.client.close()
        self.client.abandon()

    def _break(self, reason: str) -> None:
        if not self.broken.done():
            self.broken.set_result(reason)

    async def _failed(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        if _NOT_LET not in reason.lower():
            self._break(reason)
        elif not self._not_let:
            # One call is lost, as if nobody answered. The others of the link can do nothing for it.
            self._not_let = True
            log.warning("the NATS server does not let this process call: %.200s", reason)

    async def _write(self) -> None:
        # A task of its own, because nats-py swallows the cancellation of who waits for it.
        try:
            while True:
                while self._posted:
                    await self.client.publish(*self._posted.popleft())
                self._idle = asyncio.get_running_loop().create_future()
                await self._idle
        except (Error, OSError) as error:
            self._break(str(error) or type(error).__name__)

    async def _watch(self) -> None:
        """Ask the server for a sign of life now and then, and let calls do the same."""
        asking: asyncio.Task[None] | None = None
        unanswered = 0
        try:
            while not self.client.is_closed:
                if asking is None or asking.done():
                    unanswered = 0
                    asking = asyncio.create_task(self._ask())
                elif (unanswered := unanswered + 1) >= PATIENCE:
                    break
                await asyncio.sleep(INTERVAL)
                self._party.tick()
            self._break(str(self.client.last_error or "it does not answer"))
        finally:
            if asking is not None:
                asking.cancel()

    async def _ask(self) -> None:
        with suppress(Error, OSError):
            # Time is counted in intervals, so that a process which was held up blames nobody.
            await self.client.flush(timeout=3_600)


@asynccontextmanager
async def connecting(connection: Connection) -> AsyncIterator[None]:
    """Keep a connection open until the block ends.

    A server that is away does not hold up the block: calls fail until it is there.
    """
    connection.start()
    try:
        await connection.tried()
        yield
    finally:
        await connection.close()


def address_of(url: str) -> str:
    """`HOST:PORT` of a NATS server's URL, without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"[{host}]:{parts.port or 4222}" if ":" in host else f"{host}:{parts.port or 4222}"
