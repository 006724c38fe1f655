"""Delivers events for the services of one process.

An event goes from its publisher's outbox to the subscribers in the same process directly. To those
of other processes it goes through a broker, which all processes of a topology share.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import MetaData

from seam.events.event import PARTITIONS, Event, partition_of
from seam.events.leases import Duty, Leases
from seam.events.leaving import leave_streams
from seam.events.policy import DEFAULT_POLICY, Policy
from seam.events.relay import Relay, Stage
from seam.events.retrying import Retrying
from seam.events.statements import statements_of
from seam.events.subscriber import Subscriber
from seam.events.subscription import Subscription
from seam.events.tables import has_event_tables
from seam.outages import Outage
from seam.persistence import Database

if TYPE_CHECKING:
    from seam.events.broker import Broker
    from seam.events.stream import Stream
    from seam.events.stream_reader import StreamReader


class EventsError(Exception):
    """Events cannot be delivered as services want them; the text says what to change."""


@dataclass(frozen=True, slots=True, eq=False)
class Participant:
    """A service of this process.

    Attributes:
        service: its name.
        database: its database, if it has one.
        metadata: the tables of that database.
        subscriptions: what it does with events.
    """

    service: str
    database: Database | None
    metadata: MetaData | None
    subscriptions: tuple[Subscription, ...]

    @property
    def uses_events(self) -> bool:
        """Whether its database has the tables of events."""
        prepared = self.metadata is not None and has_event_tables(self.metadata)
        return self.database is not None and prepared


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """What delivers the events of this process.

    Attributes:
        databases: of the services that have tables of events, by service.
        relays: of the services that may publish.
        subscribers: of the services that subscribe.
        readers: read the streams of services.
        leases: what each service does here.
    """

    databases: Mapping[str, Database]
    relays: dict[str, Relay]
    subscribers: Mapping[str, Subscriber]
    readers: list[StreamReader]
    leases: dict[str, Leases]


@asynccontextmanager
async def delivering(
    participants: Sequence[Participant],
    broker: Broker | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> AsyncIterator[Delivery]:
    """Deliver events until the block ends.

    Args:
        participants: the services of this process.
        broker: carries events between processes, if the topology has one.
        policy: how patient to be.

    Raises:
        EventsError: a service subscribes to what cannot reach it.
    """
    delivery = _delivery(participants, broker, policy)
    # What runs for everybody has nothing to do with the call that it may begin in.
    running: list[Coroutine[object, object, None]] = [
        *(each.run() for each in delivery.relays.values()),
        *(each.run() for each in delivery.leases.values()),
    ]
    if broker is None:
        running.append(leave_streams(delivery.subscribers.values(), policy))
    tasks = [asyncio.create_task(each, context=Context()) for each in running]
    try:
        yield delivery
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _delivery(
    participants: Sequence[Participant], broker: Broker | None, policy: Policy
) -> Delivery:
    databases: dict[str, Database] = {}
    subscribers: dict[str, Subscriber] = {}
    for each in participants:
        if each.database is not None and each.uses_events:
            databases[each.service] = each.database
        if each.subscriptions:
            subscribers[each.service] = _subscriber(each, databases, policy)
    here = {each.service for each in participants}
    delivery = Delivery(databases, {}, subscribers, [], {})
    for service, database in databases.items():
        listeners = [each for each in subscribers.values() if service in each.handlers.owners]
        relay, readers = _relay(service, database, listeners, broker, policy)
        delivery.relays[service] = relay
        delivery.readers.extend(readers)
        duties: dict[str, Duty] = {f"relay/{n}": partial(relay.hold, n) for n in range(PARTITIONS)}
        subscriber = subscribers.get(service)
        if subscriber is not None:
            duties["retry/0"] = Retrying(subscriber, policy).run
            for owner in sorted(subscriber.handlers.owners - here):
                reader = _reader(subscriber, owner, broker, policy)
                delivery.readers.append(reader)
                duties |= {f"read {owner}/{n}": partial(reader.run, n) for n in range(PARTITIONS)}
        delivery.leases[service] = Leases(service, database, duties, policy.lease)
    return delivery


def _reader(
    subscriber: Subscriber, owner: str, broker: Broker | None, policy: Policy
) -> StreamReader:
    if broker is None:
        types = ", ".join(subscriber.handlers.types(owner))
        raise EventsError(
            f"service '{subscriber.service}' subscribes to {types}, which '{owner}' publishes in "
            "another process; say in the topology through which broker: "
            '[events] broker = "nats://HOST:PORT"'
        )
    return _stream_reader(broker, owner, subscriber, policy)


async def _publish(
    stream: Stream, events: Sequence[Event], listeners: Sequence[Subscriber]
) -> Sequence[Event]:
    """Write events into the stream, each partition by itself, and give those that are there.

    Args:
        stream: the stream of the service that has published them.
        events: what it has published.
        listeners: those who had the events already, and need not read them in the stream.
    """
    partitions: dict[int, list[Event]] = {}
    for event in events:
        partitions.setdefault(partition_of(event.key), []).append(event)
    outcomes = await asyncio.gather(
        *(stream.publish(*each) for each in partitions.items()), return_exceptions=True
    )
    published: list[Event] = []
    failure: BaseException | None = None
    for (partition, its), outcome in zip(partitions.items(), outcomes, strict=True):
        if isinstance(outcome, BaseException):
            failure = outcome
            continue
        published.extend(its)
        for each in listeners:
            pass_by = statements_of(each.service).cursor.pass_by
            await each.database.execute(pass_by, of=stream.owner, part=partition, new=outcome)
    if failure is not None and not published:
        raise failure
    return published


def _stream(broker: Broker, owner: str) -> Stream:
    # The client of NATS is for processes that have a broker.
    from seam.events.stream import Stream  # noqa: PLC0415

    return Stream(broker, owner)


def _stream_reader(
    broker: Broker, owner: str, subscriber: Subscriber, policy: Policy
) -> StreamReader:
    # The client of NATS is for processes that have a broker.
    from seam.events.stream_reader import StreamReader  # noqa: PLC0415

    return StreamReader(broker, owner, subscriber, policy)


def _subscriber(
    participant: Participant, databases: Mapping[str, Database], policy: Policy
) -> Subscriber:
    service = participant.service
    database = databases.get(service)
    if database is None:
        raise EventsError(
            f"service '{service}' subscribes to events, and its database has no tables for them; "
            "add them to its metadata: seam.events.event_tables(Table.metadata)"
        )
    return Subscriber(service, database, participant.subscriptions, policy)


def _relay(
    service: str,
    database: Database,
    listeners: Sequence[Subscriber],
    broker: Broker | None,
    policy: Policy,
) -> tuple[Relay, list[StreamReader]]:
    """The relay of a service, and what reads its stream for subscribers of the same process.

    With a broker, what is published is delivered in the process first and then written into the
    stream, for others now, and for these if they leave the process some day. If they were in
    another process before, the stream may hold what they have not read: that comes first.
    """
    outbox = statements_of(service).outbox

    async def deliver(events: Sequence[Event]) -> Sequence[Event]:
        for listener in listeners:
            await listener.deliver(service, events)
        return events

    here = Outage(f"delivery of the events of {service}")
    if broker is None:
        stage = Stage(
            database=database,
            read=outbox.read,
            done=outbox.remove,
            deliver=deliver,
            outage=here,
            batch=policy.batch,
        )
        return Relay(service, [stage], policy), []

    stream = _stream(broker, service)

    async def publish(events: Sequence[Event]) -> Sequence[Event]:
        return await _publish(stream, events, listeners)

    # As much as one batch of each partition.
    whole = policy.batch * PARTITIONS
    there = Outage(f"publishing of the events of {service}")
    if not listeners:
        stage = Stage(
            database=database,
            read=outbox.read,
            done=outbox.remove,
            deliver=publish,
            outage=there,
            batch=whole,
        )
        return Relay(service, [stage], policy), []
    readers = [_stream_reader(broker, service, each, policy) for each in listeners]

    async def read_stream(partition: int) -> None:
        for reader in readers:
            await reader.catch_up(partition)

    async def catch_up(partition: int) -> None:
        await read_stream(partition)
        # Those who had them may have been others, when services were in other processes. Who has
        # had one already leaves it alone.
        await database.execute(outbox.mark_undelivered, which=partition)

    stages = (
        Stage(
            database=database,
            read=outbox.read_undelivered,
            done=outbox.mark_delivered,
            deliver=deliver,
            outage=here,
            batch=policy.batch,
        ),
        Stage(
            database=database,
            read=outbox.read_delivered,
            done=outbox.remove,
            deliver=publish,
            outage=there,
            batch=whole,
        ),
    )
    # A process that has a partition may be one without these listeners, while services move.
    return Relay(service, stages, policy, prepare=catch_up, follow=read_stream), readers
