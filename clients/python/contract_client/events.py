"""Reads server-sent events. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Event", "EventReader"]

# No other character ends a line, though some do to Python.
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        name: its name; `message` when it has none.
        data: what it says.
        id: the last position that the stream has named; empty before the first.
    """

    name: str
    data: str
    id: str


class EventReader:
    """Makes events of what arrives.

    Attributes:
        retry: seconds to wait before connecting again, as the server has said last.
        last_id: the position after which to go on.
    """

    def __init__(self, last_id: str = "", retry: float = 2.0) -> None:
        self.last_id = last_id
        self.retry = retry
        self._rest = b""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """Take what has arrived; give the events that it completes."""
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        if lines and not self._rest and chunk.endswith(b"\r"):
            # The other half of the line's end may be on its way.
            self._rest = lines.pop() + b"\r"
        found = [self._line(line.decode(errors="replace")) for line in lines]
        return [event for event in found if event is not None]

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._finish()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self.last_id = value
        elif field == "retry" and value.isdecimal():
            self.retry = int(value) / 1_000
        return None

    def _finish(self) -> Event | None:
        event = None
        if self._data:
            event = Event(self._name or "message", "\n".join(self._data), self.last_id)
        self._name = ""
        self._data.clear()
        return event
