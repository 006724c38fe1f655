"""The handlers of one service: what it does with each type of event, one event at a time."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from seam.call import CallContext, current_call
from seam.contract import InvalidField, Record
from seam.events.event import Event
from seam.events.subscription import Subscription
from seam.persistence import Transaction


class UnreadableError(Exception):
    """What an event holds cannot be read; the text says why."""


class Handlers:
    """What one service does with events.

    Attributes:
        service: its name.
        timeout: seconds that a handler has for one event.
    """

    def __init__(self, service: str, subscriptions: Iterable[Subscription], timeout: float) -> None:
        """Do with events what `subscriptions` say.

        Raises:
            ValueError: two of them are of one type.
        """
        self.service = service
        self.timeout = timeout
        self._subscriptions: dict[str, Subscription] = {}
        for subscription in subscriptions:
            name = subscription.event.type
            if self._subscriptions.setdefault(name, subscription) is not subscription:
                raise ValueError(f"service '{service}' subscribes to {name} twice")

    def __contains__(self, event_type: str) -> bool:
        """Whether there is a handler for a type of event."""
        return event_type in self._subscriptions

    @property
    def owners(self) -> frozenset[str]:
        """The services whose events it subscribes to."""
        return frozenset(each.event.owner for each in self._subscriptions.values())

    def types(self, owner: str) -> tuple[str, ...]:
        """The types of a service's events that it subscribes to."""
        events = (each.event for each in self._subscriptions.values())
        return tuple(event.type for event in events if event.owner == owner)

    def decode(self, event: Event) -> Record:
        """What an event holds, as its type is known today.

        Raises:
            UnreadableError: it cannot be read, or nothing subscribes to its type any more.
        """
        subscription = self._subscriptions.get(event.type)
        if subscription is None:
            raise UnreadableError(f"nothing subscribes to {event.type}")
        try:
            record: Record = subscription.event.codec.decode(event.data)
        except InvalidField as error:
            raise UnreadableError(f"cannot be read: {error}") from None
        return record

    async def handle(self, event: Event, record: Record, transaction: Transaction) -> None:
        """Run the handler of an event, as if called by what published it."""
        token = current_call.set(CallContext(monotonic() + self.timeout, event.traceparent))
        try:
            await self._subscriptions[event.type].handler(record, transaction)
        finally:
            current_call.reset(token)
