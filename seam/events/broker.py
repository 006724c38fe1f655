"""The connection to the broker of events, NATS with JetStream, which comes back by itself.

What a broker is asked and does not answer makes it an outage, of which the log has a line; and so
does, apart from that, what it refuses of a service's events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from typing import Any, Final

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from seam.events.ending import end_all
from seam.events.failures import BrokerAwayError
from seam.outages import Outage

REQUEST_TIMEOUT: Final = 3.0
"""Seconds that the broker has to answer."""

CLOSE_TIMEOUT: Final = 2.0
"""Seconds that what is still to be written has, when the connection is closed."""

CONNECTION: Final[Mapping[str, Any]] = {
    "allow_reconnect": True,
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.25,
    "connect_timeout": 2,
    "ping_interval": 3,
    "max_outstanding_pings": 2,
    "pending_size": 2 * 1024 * 1024,
}
"""How the broker is held on to: for ever, with a bound on what is kept while it is away."""


class Broker:
    """A connection to NATS, which comes back by itself.

    Attributes:
        client: the client of NATS; another one once it has given up.
        outage: whether it is away.
    """

    def __init__(self, url: str) -> None:
        """Use the broker at `url`, several with commas between them; see `connected`."""
        self.outage = Outage("the broker of events")
        self.client = Client()
        self._url = url
        # What answers and takes nothing is there for those who read, so it is a thing of its own.
        self._refusals: dict[str, Outage] = {}
        self._closing = False
        self._disconnected = False

    @property
    def problem(self) -> str | None:
        """Why it cannot be used, without addresses; None when it can."""
        if not self.client.is_connected or self.outage.away:
            return "cannot be reached"
        refusing = any(refusal.away for refusal in self._refusals.values())
        return "refuses what is published" if refusing else None

    async def hold(self) -> None:
        """Connect, however long that takes, and hold on to the broker until cancelled."""
        while True:
            await self.connect()
            await self._until_given_up()
            await self._replace_client()

    async def connect(self) -> None:
        """Connect, however long that takes."""
        while not self.client.is_connected:
            await self._attempt()
            if not self.client.is_connected:
                await asyncio.sleep(CONNECTION["reconnect_time_wait"])
                await self._replace_client()
        await self._on_return()

    async def _attempt(self) -> None:
        connecting = asyncio.create_task(
            self.client.connect(
                servers=[each.strip() for each in self._url.split(",")],
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnect,
                reconnected_cb=self._on_return,
                **CONNECTION,
            )
        )
        try:
            # Not awaited itself: it goes on for ever when it is cancelled as a try of its ends.
            await asyncio.wait([connecting])
            connecting.result()
        except Exception as error:
            await self._on_error(error)
        finally:
            await end_all([connecting])

    async def _replace_client(self) -> None:
        """Begin with a new client; what one that failed is still about is nobody's business."""
        given_up, self.client = self.client, Client()
        await _close(given_up)

    async def _until_given_up(self) -> None:
        """Wait until the client does not connect anew by itself.

        It closes itself when the broker tells it of an error. And a connection that it has lost, it
        first writes out: to a machine that has vanished, with more than the system takes, that
        ends when the system gives up, after a quarter of an hour.
        """
        looks = 0
        while looks <= CLOSE_TIMEOUT and not self.client.is_closed:
            await asyncio.sleep(1)
            if self.client.is_connected:
                self._disconnected = False
            looks = looks + 1 if self.client.is_reconnecting and not self._disconnected else 0

    async def _on_error(self, error: Exception) -> None:
        # One that is connected says by the answer to a request what it cannot do.
        if not self.client.is_connected:
            self.outage.failed(f"{type(error).__name__}: {error}")

    async def _on_disconnect(self) -> None:
        self._disconnected = True
        if self._closing:
            return
        self.outage.failed("the connection has ended")

    async def _on_return(self) -> None:
        self.outage.answered()

    async def close(self) -> None:
        """Let go of the broker."""
        self._closing = True
        await _close(self.client)

    async def request(
        self, subject: str, data: bytes, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask the broker, and give its answer, which may be an error.

        Raises:
            BrokerAwayError: there is no answer.
        """
        with self.asking():
            try:
                answer = await self.client.request(
                    subject,
                    data,
                    timeout=REQUEST_TIMEOUT,
                    headers=None if headers is None else dict(headers),
                )
            except nats.errors.NoRespondersError:
                raise self.failed("it has no such stream, or no JetStream") from None
        heed_cancellation()
        decoded: dict[str, Any] = json.loads(answer.data)
        self.answered()
        return decoded

    @contextmanager
    def asking(self) -> Iterator[JetStreamContext]:
        """Ask the broker in the block.

        Raises:
            BrokerAwayError: it is not connected, or does not answer; the log says so.
            APIError: it answers that it does not do what it was asked for.
        """
        if not self.client.is_connected:
            raise BrokerAwayError("it is not connected")
        try:
            yield self.client.jetstream(timeout=REQUEST_TIMEOUT)
        except nats.js.errors.APIError:
            raise
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise self.failed(f"{type(error).__name__}: {error}") from None

    def failed(self, reason: str) -> BrokerAwayError:
        """Tell the log that the broker cannot do something, and give the error to raise."""
        self.outage.failed(reason)
        return BrokerAwayError(reason)

    def answered(self) -> None:
        """Note that the broker has answered."""
        if self.outage.away:
            self.outage.answered()

    def refusal(self, owner: str) -> Outage:
        """Whether the broker refuses what a service publishes."""
        found = self._refusals.get(owner)
        if found is None:
            found = self._refusals[owner] = Outage(f"the broker of events, for those of {owner},")
        return found


def heed_cancellation() -> None:
    """End the task if it was asked to while the client of NATS waited, which swallows that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _close(client: Client) -> None:
    """Close a client, and let go of it when what it is to write goes nowhere."""

    async def close() -> None:
        with suppress(Exception):
            await client.close()

    closing = asyncio.create_task(close(), context=Context())
    try:
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT)
    finally:
        await end_all([closing])


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Broker]:
    """Hold on to a broker until the block ends; it need not be there.

    Args:
        url: `nats://HOST:PORT`.
    """
    broker = Broker(url)
    holding = asyncio.create_task(broker.hold(), context=Context())
    try:
        yield broker
    finally:
        await end_all([holding])
        await broker.close()
