"""Server-sent events, in whatever pieces they arrive."""

from __future__ import annotations

import pytest

from contract_client.events import Event, EventReader

STREAM = (
    ": hello\r\nretry: 1500\r\n\r\n"
    "id: 1\ndata: a\ndata:b\n\n"
    "event: end\rid\rdata: {}\r\r"
    "event: nothing\n\n"
    "data: not\u2028a line\n\n"
)
EVENTS = [
    Event("message", "a\nb", "1"),
    Event("end", "{}", ""),
    Event("message", "not\u2028a line", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_events_are_the_same_in_pieces_of_any_size(size: int) -> None:
    sent = STREAM.encode()
    reader = EventReader()
    found: list[Event] = []
    for at in range(0, len(sent), size):
        found += reader.feed(sent[at : at + size])
    assert found == EVENTS
    assert reader.retry == 1.5


def test_an_event_that_is_not_whole_is_none() -> None:
    assert EventReader().feed(b"data: a\n") == []
