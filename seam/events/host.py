"""Delivers events for the services of one process.

An event goes from its publisher's outbox to the subscribers in the same process directly. To those
of other processes it goes through a broker, which all processes of a topology share.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from sqlalchemy import MetaData

from seam.events.event import PARTITIONS, Event
from seam.events.leases import Duty, Leases
from seam.events.policy import DEFAULT_POLICY, Policy
from seam.events.relay import Relay, Stage
from seam.events.retrying import Retrying
from seam.events.statements import statements_of
from seam.events.subscriber import Subscriber
from seam.events.subscription import Subscription
from seam.events.tables import has_event_tables
from seam.outages import Outage
from seam.persistence import Database


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


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """What delivers the events of this process.

    Attributes:
        databases: of the services that have tables of events, by service.
        relays: of the services that may publish.
        subscribers: of the services that subscribe.
        leases: what each service does here.
    """

    databases: Mapping[str, Database]
    relays: Mapping[str, Relay]
    subscribers: Mapping[str, Subscriber]
    leases: Mapping[str, Leases]


@asynccontextmanager
async def delivering(
    participants: Sequence[Participant], policy: Policy = DEFAULT_POLICY
) -> AsyncIterator[Delivery]:
    """Deliver events until the block ends.

    Args:
        participants: the services of this process.
        policy: how patient to be.

    Raises:
        EventsError: a service subscribes to what cannot reach it.
    """
    delivery = _delivery(participants, policy)
    # What runs for everybody has nothing to do with the call that it may begin in.
    tasks = [
        asyncio.create_task(each.run(), context=Context(), name=f"events of {service}")
        for service, each in delivery.leases.items()
    ]
    try:
        yield delivery
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _delivery(participants: Sequence[Participant], policy: Policy) -> Delivery:
    databases: dict[str, Database] = {}
    subscribers: dict[str, Subscriber] = {}
    relays: dict[str, Relay] = {}
    leases: dict[str, Leases] = {}
    for each in participants:
        prepared = each.metadata is not None and has_event_tables(each.metadata)
        if each.database is not None and prepared:
            databases[each.service] = each.database
        if each.subscriptions:
            subscribers[each.service] = _subscriber(each, databases, policy)
    here = {each.service for each in participants}
    for service, subscriber in subscribers.items():
        for owner in sorted(subscriber.owners - here):
            types = ", ".join(subscriber.types(owner))
            raise EventsError(
                f"service '{service}' subscribes to {types}, which '{owner}' publishes in another "
                'process; say in the topology through which broker: [events] broker = "nats://…"'
            )
    for service, database in databases.items():
        listeners = [each for each in subscribers.values() if service in each.owners]
        relays[service] = Relay(service, [_local_stage(service, database, listeners)], policy)
        duties = _duties(relays[service], subscribers.get(service), policy)
        leases[service] = Leases(service, database, duties, policy.lease)
    return Delivery(databases, relays, subscribers, leases)


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


def _local_stage(service: str, database: Database, listeners: Sequence[Subscriber]) -> Stage:
    statements = statements_of(service).outbox

    async def deliver(_: int, events: Sequence[Event]) -> None:
        for listener in listeners:
            await listener.deliver(service, events)

    outage = Outage(f"delivery of the events of {service}")
    return Stage(database, statements.read, statements.remove, deliver, outage)


def _duties(relay: Relay, subscriber: Subscriber | None, policy: Policy) -> dict[str, Duty]:
    duties: dict[str, Duty] = {
        f"relay/{partition}": partial(relay.run, partition) for partition in range(PARTITIONS)
    }
    if subscriber is not None:
        duties["retry/0"] = Retrying(subscriber, policy).run
    return duties
