"""The system: what services declare, put together with what their contracts say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from docs.site.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from docs.site.survey import Declared

    from codegen.contract.model import ContractFile, Enum, Message, Method, Service

__all__ = ["Call", "Documented", "Flow", "System", "put_together"]


@dataclass(frozen=True)
class Call:
    """One service calls another.

    Attributes:
        caller: the name of who calls.
        callee: the name of who answers.
        methods: full names of the methods whose contract lets the caller in.
    """

    caller: str
    callee: str
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """One service takes events of another.

    Attributes:
        publisher: the name of who publishes.
        subscriber: the name of who subscribes.
        events: full names of the events.
    """

    publisher: str
    subscriber: str
    events: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Documented:
    """One service, or the contracts of a package that no service of the system answers.

    Attributes:
        name: the service's name: the first part of its contracts' packages.
        declared: what its code declares; None where there is none.
        contracts: its contracts, those that clients see first.
    """

    name: str
    declared: Declared | None
    contracts: tuple[ContractFile, ...]

    @property
    def title(self) -> str:
        """The name as people write it."""
        return self.name.replace("_", " ")

    @property
    def summary(self) -> str:
        """What the first of its contracts says of it."""
        services = [each for file in self.contracts for each in file.services if each.comment]
        if services:
            return services[0].comment
        return self.contracts[0].comment if self.contracts else ""

    @property
    def api(self) -> tuple[Service, ...]:
        """What clients call."""
        return self._services(client_facing=True)

    @property
    def bus(self) -> tuple[Service, ...]:
        """What other services call."""
        return self._services(client_facing=False)

    @property
    def methods(self) -> tuple[tuple[Service, Method], ...]:
        """All methods, with their services."""
        return tuple(
            (service, method) for service in (*self.api, *self.bus) for method in service.methods
        )

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages that are neither errors nor events."""
        return tuple(m for m in self._messages() if m.error is None and m.event is None)

    @property
    def errors(self) -> tuple[Message, ...]:
        """The typed errors."""
        return tuple(each for each in self._messages() if each.error is not None)

    @property
    def events(self) -> tuple[Message, ...]:
        """The events that it publishes."""
        return tuple(each for each in self._messages() if each.event is not None)

    @property
    def enums(self) -> tuple[Enum, ...]:
        """All enums."""
        return tuple(each for file in self.contracts for each in file.enums)

    @property
    def types(self) -> tuple[Message | Enum, ...]:
        """All messages, events, errors and enums."""
        return (*self._messages(), *self.enums)

    def _messages(self) -> Iterator[Message]:
        return (each for file in self.contracts for each in file.messages)

    def _services(self, *, client_facing: bool) -> tuple[Service, ...]:
        return tuple(
            each
            for file in self.contracts
            for each in file.services
            if _faces_clients(file) is client_facing
        )


@dataclass(frozen=True, eq=False)
class System:
    """All of it.

    Attributes:
        services: the services of the system, in the order of their names.
        others: contracts that no service of the system answers, in the order of their names.
        calls: who calls whom.
        flows: who takes whose events.
        types: all messages and enums by full name.
        usage: what code uses the contracts.
    """

    services: tuple[Documented, ...]
    others: tuple[Documented, ...]
    calls: tuple[Call, ...]
    flows: tuple[Flow, ...]
    types: Mapping[str, Message | Enum]
    usage: Usage

    @property
    def everything(self) -> tuple[Documented, ...]:
        """Services, and then the others."""
        return (*self.services, *self.others)


def put_together(
    declared: Sequence[Declared], contracts: Sequence[ContractFile], usage: Usage = NO_USAGE
) -> System:
    """Make the system of what its parts say.

    Args:
        declared: what the code of the services declares.
        contracts: all contracts.
        usage: what code uses them.
    """
    by_owner: dict[str, list[ContractFile]] = {}
    for file in contracts:
        by_owner.setdefault(_owner(file.path), []).append(file)
    for files in by_owner.values():
        files.sort(key=lambda file: (not _faces_clients(file), file.path))
    names = {each.name for each in declared}
    ordered = sorted(declared, key=lambda each: each.name)
    return System(
        services=tuple(
            Documented(each.name, each, tuple(by_owner.get(each.name, ()))) for each in ordered
        ),
        others=tuple(
            Documented(owner, None, tuple(files))
            for owner, files in sorted(by_owner.items())
            if owner not in names
        ),
        calls=tuple(_calls(ordered, contracts)),
        flows=tuple(_flows(ordered)),
        types={name: type_ for file in contracts for name, type_ in file.types.items()},
        usage=usage,
    )


def _calls(declared: Sequence[Declared], contracts: Sequence[ContractFile]) -> Iterator[Call]:
    services = {each.full_name: each for file in contracts for each in file.services}
    for caller in declared:
        for callee in caller.calls:
            needed = [services[n] for n in caller.needs if n in services and _first(n) == callee]
            methods = tuple(
                f"{service.full_name}.{method.name}"
                for service in needed
                for method in service.methods
                if caller.name in method.access.callers or not method.access.callers
            )
            yield Call(caller.name, callee, methods)


def _flows(declared: Sequence[Declared]) -> Iterator[Flow]:
    for subscriber in declared:
        for publisher in sorted({_first(event) for event in subscriber.subscribes}):
            events = tuple(each for each in subscriber.subscribes if _first(each) == publisher)
            yield Flow(publisher, subscriber.name, events)


def _first(full_name: str) -> str:
    return full_name.partition(".")[0]


def _owner(path: str) -> str:
    return path.partition("/")[0]


def _faces_clients(file: ContractFile) -> bool:
    return file.path.endswith("/api.proto")
