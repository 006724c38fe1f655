"""Reads the event messages of a contract: `option (contract.v1.event)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.access import misspelled
from codegen.contract.model import EventSpec, Field, Presence, Problem, Scalar
from codegen.contract.options import EVENT, Options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import MessageOptions

    from codegen.contract.comments import SourceInfo
    from codegen.contract.model import Message

__all__ = ["EventReader"]

# contract.v1's extension of MessageOptions.
_EVENT_FIELD = 50002


class EventReader:
    """Reads what a message says of itself as an event.

    Args:
        options: reads options.
        source: locations in the file.
        problems: collects what is wrong.
    """

    def __init__(self, options: Options, source: SourceInfo, problems: list[Problem]) -> None:
        self._options = options
        self._source = source
        self._problems = problems

    def read(
        self, options: MessageOptions, message: Message, path: tuple[int, ...]
    ) -> EventSpec | None:
        """The event that a message is; None when it is none, or is refused.

        Args:
            options: the message's options.
            message: the message.
            path: its path in the source information.
        """
        found = self._options.get(options, EVENT)
        if found is None:
            return None
        place = self._source.location(*path, 7, _EVENT_FIELD)
        name = str(getattr(found, "key", ""))
        fields = {field.name: field for field in message.all_fields}
        field = fields.get(name)
        if not name:
            reason = "key is missing; name the string field whose value orders events"
        elif field is None:
            known = f"; it has {', '.join(fields)}" if fields else ""
            reason = f"key names {name}, which the message does not have{known}"
        elif not _orders(field):
            reason = f"key names {name}; only a single string that is always there orders events"
        else:
            subscribers = tuple(getattr(found, "subscribers", ()))
            for reason in misspelled("subscribers", subscribers):
                self._problems.append(Problem(place, f"{message.name}: {reason}"))
            return EventSpec(field, subscribers, place)
        self._problems.append(Problem(place, f"{message.name}: {reason}"))
        return None

    def refuse_in_client_facing(self, messages: Iterable[Message]) -> None:
        """Refuse the events of a contract that clients see, to whom no events are delivered."""
        for message in messages:
            if message.event is not None:
                reason = "services publish events to each other; declare it in messagebus.proto"
                place = message.event.location
                self._problems.append(Problem(place, f"{message.name}: {reason}"))


def _orders(field: Field) -> bool:
    is_there = field.presence is not Presence.OPTIONAL and not field.case_class
    return field.is_single and is_there and field.type is Scalar.STRING
