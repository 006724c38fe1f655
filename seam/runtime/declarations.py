"""Holds services to what they declare, when a process is put together.

What is declared wrongly often works while all services share a process, and fails once one of them
has left it. So it fails at the start, wherever the service runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import grpc

from seam.bus import Channel, Registration
from seam.contract import EventDescriptor, ServiceDescriptor
from seam.contract.access import Access
from seam.events import Subscription
from seam.runtime.service import GrpcServicer, Provided, Service, owner_of


class ServiceError(Exception):
    """A service does something else than it declares; the text says what to change."""


class Needs:
    """Gives one service the channels that it declares to need, and no others."""

    def __init__(
        self,
        service: Service,
        channel: Callable[[ServiceDescriptor], Channel],
        grpc_channel: Callable[[str], grpc.aio.Channel],
    ) -> None:
        """Give `service` what `channel` and `grpc_channel` give anybody."""
        self._service = service
        # Callees learn who calls them, and let in whom their contract names.
        self._channel = channel
        self._grpc_channel = grpc_channel
        self._unused = set(service.needs)
        self._started = False

    def channel(self, descriptor: ServiceDescriptor) -> Channel:
        """The channel to a contract service.

        Raises:
            ServiceError: the service does not say that it needs it, or has started already.
        """
        self._use(descriptor, descriptor.name)
        return self._channel(descriptor).called_by(self._service.name)

    def grpc_channel(self, name: str) -> grpc.aio.Channel:
        """A channel to the service of this full name, for stubs that protoc has made.

        Raises:
            ServiceError: the service does not say that it needs it, or has started already.
        """
        self._use(name, name)
        return self._grpc_channel(name)

    def check(self) -> None:
        """Check, once the service has started, that it has used all that it needs.

        Raises:
            ServiceError: it has not.
        """
        self._started = True
        for need in self._unused:
            raise ServiceError(
                f"service '{self._service.name}' needs {_name(need)}, and its start asks for no "
                "channel to it; leave it out of `needs`"
            )

    def _use(self, need: ServiceDescriptor | str, name: str) -> None:
        own = self._service.name
        if self._started:
            raise ServiceError(
                f"service '{own}' asks for a channel to {name} after its start; ask in `start`"
            )
        if need not in self._service.needs and owner_of(need) != own:
            raise ServiceError(
                f"service '{own}' asks for a channel to {name}, which is not in its `needs`"
            )
        self._unused.discard(need)


def check_answers(service: Service, answers: Iterable[Provided]) -> None:
    """Check that a service answers and publishes what is its own, and hears what it may hear.

    Raises:
        ServiceError: others would look for it elsewhere, nothing answers a route, or the contract
            of an event does not name the service as a subscriber.
    """
    answers = tuple(answers)
    names = answered(answers)
    for answer in answers:
        if isinstance(answer, Subscription):
            _check_subscriber(service, answer.event)
    for name in names:
        if owner_of(name) != service.name:
            raise ServiceError(
                f"service '{service.name}' answers {name}, which others look for where "
                f"'{owner_of(name)}' runs"
            )
    for event in service.publishes:
        if event.owner != service.name:
            raise ServiceError(
                f"service '{service.name}' publishes {event.type}, which others look for where "
                f"'{event.owner}' runs"
            )
    for api in service.http:
        if api.descriptor.name not in names:
            raise ServiceError(
                f"service '{service.name}' has routes to {api.descriptor.name}, and its start "
                "registers no handler of it"
            )


def _check_subscriber(service: Service, event: EventDescriptor[Any]) -> None:
    if service.name != event.owner and service.name not in event.subscribers:
        allowed = ", ".join(sorted(event.subscribers)) or "no other service"
        raise ServiceError(
            f"service '{service.name}' subscribes to {event.type}, and its contract lets "
            f"{allowed} do so; name it among the `subscribers` of the event in the contract of "
            f"'{event.owner}'"
        )


def check_needs(services: Sequence[Service], names: Collection[str]) -> None:
    """Check that services of one process answer what they need of each other.

    Args:
        services: those that the process hosts.
        names: full names of what they answer.

    Raises:
        ServiceError: one needs what another does not answer.
    """
    hosted = {service.name for service in services}
    for service in services:
        for need in service.needs:
            if owner_of(need) in hosted and _name(need) not in names:
                raise ServiceError(
                    f"service '{service.name}' needs {_name(need)}, and the start of "
                    f"'{owner_of(need)}' registers no handler of it"
                )


def check_access(service: Service) -> None:
    """Check that a service may call what it needs: a method at least of each contract.

    Raises:
        ServiceError: it could call nothing.
    """
    for need in service.needs:
        if isinstance(need, str) or not need.methods:
            continue
        if not any(_lets_call(method.access, service.name) for method in need.methods):
            raise ServiceError(
                f"service '{service.name}' needs {need.name}, none of whose methods lets "
                f"'{service.name}' call it; name it among the `callers` of those that it calls, "
                f"in the contract of '{need.owner}'"
            )


def _lets_call(access: Access, service: str) -> bool:
    # Who is signed in stays so in the calls that answering them causes.
    in_the_name_of_others = access.public or access.signed_in or bool(access.roles)
    return in_the_name_of_others or service in access.callers


def check_migrations(service: Service) -> None:
    """Check that a service's tables are in the schema that others take for its own.

    Raises:
        ServiceError: they are not.
    """
    migrations = service.migrations
    if migrations is not None and migrations.service != service.name:
        raise ServiceError(
            f"the tables of service '{service.name}' are in the schema '{migrations.service}'; "
            f'expected MetaData(schema="{service.name}")'
        )


def answered(answers: Iterable[Provided]) -> list[str]:
    """Full names of the services that are answered."""
    names: list[str] = []
    for answer in answers:
        if isinstance(answer, Registration):
            names.append(answer.descriptor.name)
        elif isinstance(answer, GrpcServicer):
            names.extend(answer.names)
    return names


def _name(need: ServiceDescriptor | str) -> str:
    return need if isinstance(need, str) else need.name
