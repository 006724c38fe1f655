"""Carries events between processes: one NATS JetStream stream for each service that publishes.

A stream is a log of what its service has published, in files of the broker, for seven days. Nothing
is taken out of it when it is read: each subscriber keeps in its own database how far it has come,
see `seam.events.stream_reader`. A stream that is full refuses what comes, and the publisher's
outbox keeps it.

Events of one partition are written in atomic batches: all of a batch, in its order, or nothing.
Several that are merely sent one after the other could end up with a gap, when one is refused and
the next is not, or when a connection breaks in their middle; and a gap that is filled later is a
wrong order.

Sources: CloudEvents over NATS, binary mode,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md;
atomic batches, https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.protocol.command import hpub_cmd

from seam.events.event import Event
from seam.events.failures import BrokerAwayError
from seam.outages import Outage

log = logging.getLogger(__name__)

MAXIMUM_AGE: Final = 7 * 24 * 3600.0
"""Seconds for which a stream keeps an event."""

DUPLICATE_WINDOW: Final = 120.0
"""Seconds within which the broker knows an event that is sent again by its id."""

REQUEST_TIMEOUT: Final = 3.0
"""Seconds that the broker has to answer."""

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

_IS_DUPLICATE: Final = 10201
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLAIN: Final = "!#$&'()*+,/:;=?@[]<>\\^`{|}"


def stream_of(owner: str) -> str:
    """The stream of a service's events."""
    return f"events-{owner}"


def subject_of(event_type: str, partition: int) -> str:
    """The subject of one partition of the events of a type."""
    return f"events.{event_type}.{partition}"


class Connection(Client):
    """The client of NATS, which writes and reads headers in a fraction of its time."""

    # Its own ways look at each character of each name and value, on both ends.
    async def _send_publish(
        self,
        subject: str,
        reply: str,
        payload: bytes,
        payload_size: int,
        headers: dict[str, Any] | None,
    ) -> None:
        lines = [f"{name}: {value}\r\n" for name, value in (headers or {}).items()]
        head = f"NATS/1.0\r\n{''.join(lines)}\r\n"
        if not lines or head.count("\n") != len(lines) + 2 or head.count("\r") != len(lines) + 2:
            await super()._send_publish(subject, reply, payload, payload_size, headers)
            return
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += payload_size
        await self._send_command(hpub_cmd(subject, reply, head.encode(), payload))
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip()] = value.strip()
        return headers


class Broker:
    """A connection to NATS, which comes back by itself.

    Attributes:
        outage: whether it is away.
    """

    def __init__(self, url: str) -> None:
        """Use the broker at `url`, several with commas between them; see `connected`."""
        self.outage = Outage("the broker of events")
        self.client = Connection()
        self._url = url
        self._streams: set[str] = set()
        # What answers and takes nothing is there for those who read, so it is a thing of its own.
        self._refusals: dict[str, Outage] = {}
        self._closing = False

    @property
    def problem(self) -> str | None:
        """Why it cannot be used, without addresses; None when it can."""
        if not self.client.is_connected or self.outage.away:
            return "cannot be reached"
        refusing = any(refusal.away for refusal in self._refusals.values())
        return "refuses what is published" if refusing else None

    async def connect(self) -> None:
        """Connect, however long that takes."""
        servers = [each.strip() for each in self._url.split(",")]
        while not self.client.is_connected:
            try:
                await self.client.connect(
                    servers=servers,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnect,
                    reconnected_cb=self._on_return,
                    **CONNECTION,
                )
            except Exception as error:
                await self._on_error(error)
                await asyncio.sleep(CONNECTION["reconnect_time_wait"])
        await self._on_return()

    async def _on_error(self, error: Exception) -> None:
        # One that is connected says by the answer to a request what it cannot do.
        if not self.client.is_connected:
            self.outage.failed(f"{type(error).__name__}: {error}")

    async def _on_disconnect(self) -> None:
        if self._closing:
            return
        self.outage.failed("the connection has ended")

    async def _on_return(self) -> None:
        self.outage.answered()

    async def close(self) -> None:
        """Let go of the broker."""
        self._closing = True
        with suppress(Exception):
            async with asyncio.timeout(2):
                await self.client.close()

    async def request(
        self, subject: str, data: bytes, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask the broker, and give its answer, which may be an error.

        Raises:
            BrokerAwayError: there is no answer.
        """
        self.check()
        try:
            answer = await self.client.request(
                subject,
                data,
                timeout=REQUEST_TIMEOUT,
                headers=None if headers is None else dict(headers),
            )
        except nats.errors.NoRespondersError:
            self._streams.clear()
            raise self.failed("it has no such stream, or no JetStream") from None
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise self.failed(f"{type(error).__name__}: {error}") from None
        heed_cancellation()
        decoded: dict[str, Any] = json.loads(answer.data)
        self._answered()
        return decoded

    def check(self) -> None:
        """Check that the broker is connected.

        Raises:
            BrokerAwayError: it is not.
        """
        if not self.client.is_connected:
            raise BrokerAwayError("it is not connected")

    def failed(self, reason: str) -> BrokerAwayError:
        """Tell the log that the broker cannot do something, and give the error to raise."""
        self.outage.failed(reason)
        return BrokerAwayError(reason)

    async def stream(self, owner: str) -> StreamInfo:
        """What is known of a service's stream, which is made if it is not there.

        Raises:
            BrokerAwayError: the broker cannot say, or cannot make it.
        """
        self.check()
        jetstream = self.client.jetstream(timeout=REQUEST_TIMEOUT)
        try:
            try:
                info = await jetstream.stream_info(stream_of(owner))
            except nats.js.errors.NotFoundError:
                info = await jetstream.add_stream(_stream_config(owner))
            if not info.config.allow_atomic:
                info.config.allow_atomic = True
                info = await jetstream.update_stream(info.config)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise self.failed(f"{type(error).__name__}: {error}") from None
        self._answered()
        self._streams.add(owner)
        return info

    async def publish(self, owner: str, partition: int, events: Sequence[Event]) -> int:
        """Write events of one partition into their service's stream, in order.

        Events that the stream has already may be written again.

        Returns:
            The sequence of the last one in the stream.

        Raises:
            BrokerAwayError: some, or all, were maybe not written.
        """
        if owner not in self._streams:
            await self.stream(owner)
        if len(events) > 1:
            answer = await self._publish_batch(partition, events)
            if answer.get("error", {}).get("err_code") != _IS_DUPLICATE:
                return self._sequence(owner, answer)
        for event in events:
            headers = _headers(event)
            answer = await self.request(subject_of(event.type, partition), event.data, headers)
            sequence = self._sequence(owner, answer)
        return sequence

    async def _publish_batch(self, partition: int, events: Sequence[Event]) -> dict[str, Any]:
        batch = secrets.token_hex(16)
        self.check()
        try:
            for number, event in enumerate(events[:-1], start=1):
                headers = _headers(event)
                headers["Nats-Batch-Id"] = batch
                headers["Nats-Batch-Sequence"] = str(number)
                await self.client.publish(
                    subject_of(event.type, partition), event.data, headers=headers
                )
            heed_cancellation()
        except (nats.errors.Error, OSError) as error:
            raise self.failed(f"{type(error).__name__}: {error}") from None
        last = events[-1]
        headers = _headers(last)
        headers["Nats-Batch-Id"] = batch
        headers["Nats-Batch-Sequence"] = str(len(events))
        headers["Nats-Batch-Commit"] = "1"
        return await self.request(subject_of(last.type, partition), last.data, headers)

    def _sequence(self, owner: str, answer: Mapping[str, Any]) -> int:
        refusal = self._refusals.get(owner)
        if refusal is None:
            refusal = self._refusals[owner] = Outage(f"the broker of events, for those of {owner},")
        if "error" in answer:
            self._streams.clear()
            reason = str(answer["error"].get("description", answer["error"]))
            refusal.failed(reason)
            raise BrokerAwayError(reason)
        if refusal.away:
            refusal.answered()
        sequence: int = answer["seq"]
        return sequence

    def _answered(self) -> None:
        if self.outage.away:
            self.outage.answered()


def heed_cancellation() -> None:
    """End the task if it was asked to while the client of NATS waited, which swallows that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Broker]:
    """Hold on to a broker until the block ends; it need not be there.

    Args:
        url: `nats://HOST:PORT`.
    """
    broker = Broker(url)
    connecting = asyncio.create_task(broker.connect(), context=Context())
    try:
        yield broker
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await broker.close()


def _stream_config(owner: str) -> StreamConfig:
    return StreamConfig(
        name=stream_of(owner),
        description=f"what {owner} has published",
        subjects=[f"events.{owner}.>"],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        max_age=MAXIMUM_AGE,
        discard=DiscardPolicy.NEW,
        duplicate_window=DUPLICATE_WINDOW,
        allow_atomic=True,
    )


def _headers(event: Event) -> dict[str, str]:
    headers = {
        "Nats-Msg-Id": event.id,
        "ce-specversion": "1.0",
        "ce-id": event.id,
        "ce-type": event.type,
        "ce-source": f"/{event.type.partition('.')[0]}",
        "ce-subject": quote(event.key, safe=_PLAIN),
        "ce-time": (_EPOCH + event.time * _MICROSECOND).isoformat(),
        "content-type": "application/protobuf",
    }
    if event.traceparent:
        headers["ce-traceparent"] = event.traceparent
    return headers


def event_of(headers: Mapping[str, str], sequence: int, data: bytes) -> Event:
    """Read an event as it comes from a stream.

    Raises:
        ValueError: it is none that a service has published.
    """
    try:
        time = datetime.fromisoformat(headers["ce-time"])
        return Event(
            sequence,
            headers["ce-id"],
            headers["ce-type"],
            unquote(headers["ce-subject"]),
            (time - _EPOCH) // _MICROSECOND,
            headers.get("ce-traceparent", ""),
            data,
        )
    except KeyError as error:
        raise ValueError(f"it has no header {error.args[0]}") from None
    except TypeError:
        raise ValueError("ce-time has no zone") from None
