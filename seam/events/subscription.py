"""What a service does when another one, or it itself, has published an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from seam.contract import EventDescriptor, Record
from seam.persistence import Transaction

E = TypeVar("E", bound=Record)


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """What a service does with one type of event; made by `subscribe`.

    Attributes:
        event: the type of event.
        handler: takes an event's record, and the transaction of its effects.
    """

    event: EventDescriptor[Any]
    handler: Callable[[Any, Transaction], Awaitable[None]]


def subscribe(
    event: EventDescriptor[E], handler: Callable[[E, Transaction], Awaitable[None]]
) -> Subscription:
    """Let `handler` have every event of a type; a service's start gives what this returns.

    What the handler writes in its transaction happens exactly once for each event. The transaction
    is that of the subscriber's own database, shared by the events of a batch, so a handler is short
    and calls no other service. When it raises, what it wrote is undone, and the event is tried
    again later, before all later events of its key.

    Args:
        event: the type of event.
        handler: does what the event asks for.
    """
    return Subscription(event, handler)
