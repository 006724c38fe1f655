"""Asks services what they are: each is started for a moment, on a database of its own.

What a service needs, publishes and serves stands in its `Service`. What it subscribes to, it says
when it starts; a start is also what proves that the rest is so.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seam.bus import Channel, HandlerRegistry, InProcessChannel, Registration
from seam.events import Subscription
from seam.runtime import Resources, Service
from seam.runtime.service import DatabaseLocation, owner_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import MetaData

    from seam.contract import ServiceDescriptor

__all__ = ["Declared", "survey"]


@dataclass(frozen=True, eq=False)
class Declared:
    """What the code of a service declares.

    Attributes:
        name: the service's name.
        needs: full names of the contract services of others that it calls.
        answers: full names of the contract services that it answers.
        publishes: full names of the events that it publishes.
        subscribes: full names of the events that it takes.
        tables: its tables, if it has any.
        revisions: what each revision of the tables does, by number, in order.
    """

    name: str
    needs: tuple[str, ...]
    answers: tuple[str, ...]
    publishes: tuple[str, ...]
    subscribes: tuple[str, ...]
    tables: MetaData | None
    revisions: Mapping[str, str]

    @property
    def calls(self) -> tuple[str, ...]:
        """Names of the services that it calls."""
        return tuple(sorted({owner_of(need) for need in self.needs}))


def survey(services: Sequence[Service]) -> tuple[Declared, ...]:
    """What services declare, in the order of their names.

    Args:
        services: the services of a system.
    """
    return asyncio.run(_survey(services))


async def _survey(services: Sequence[Service]) -> tuple[Declared, ...]:
    return tuple([await _declared(each) for each in sorted(services, key=lambda s: s.name)])


async def _declared(service: Service) -> Declared:
    # Nobody answers: a service starts whether or not those that it calls are there.
    nobody = InProcessChannel(HandlerRegistry())
    asked_for: set[str] = set()

    def channel(descriptor: ServiceDescriptor) -> Channel:
        asked_for.add(descriptor.name)
        return nobody

    answers: list[str] = []
    subscribes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder, 'service.db')}"
        location = DatabaseLocation(url=url, embedded=True)
        async with service.start(Resources(location, channel)) as provided:
            for each in provided:
                if isinstance(each, Registration):
                    answers.append(each.descriptor.name)
                elif isinstance(each, Subscription):
                    subscribes.append(each.event.type)
                else:
                    answers.extend(each.names)
    declared = {need if isinstance(need, str) else need.name for need in service.needs}
    migrations = service.migrations
    return Declared(
        name=service.name,
        needs=tuple(sorted(declared | asked_for)),
        answers=tuple(sorted(answers)),
        publishes=tuple(sorted(each.type for each in service.publishes)),
        subscribes=tuple(sorted(subscribes)),
        tables=None if migrations is None else migrations.tables,
        revisions={} if migrations is None else migrations.titles,
    )
