"""A value that the wire would change is found, and named."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from conformance.checks.calls import PAYLOAD
from conformance.v1.conformance import Colour, EchoRequest, Payload
from conformance.v1.conformance_wire import ECHO_REQUEST
from conformance.v1.conformance_wire import PAYLOAD as CODEC
from seam.codec.changed_field import check_unchanged
from seam.contract.errors import InvalidField


def through_the_wire(payload: Payload) -> None:
    check_unchanged(payload, CODEC.decode(CODEC.encode(payload)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"fraction": math.nan},
        {"fraction": 3},
        {"at": datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))},
        {"at": datetime(2024, 1, 1, tzinfo=UTC)},
        {"note": None},
        {"colour": Colour(99)},
        {"data": b""},
        {"parts": ()},
    ],
)
def test_what_is_of_its_field_s_type_passes(changes: dict[str, Any]) -> None:
    through_the_wire(replace(PAYLOAD, **changes))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"text": b"bytes"}, "text: expected a str, got a bytes"),
        ({"note": b"bytes"}, "note: expected a str, got a bytes"),
        ({"parts": [PAYLOAD]}, "parts: expected a tuple, got a list"),
        ({"colour": 1}, "colour: expected a Colour, got a int"),
        ({"parts": (replace(PAYLOAD, text=b"x"),)}, "parts[0].text: expected a str, got a bytes"),
        ({"counts": {b"one": 1}}, "counts['one']: its key is of another type"),
    ],
)
def test_what_is_of_another_type_is_named(changes: dict[str, Any], refusal: str) -> None:
    payload = replace(PAYLOAD, **changes)
    with pytest.raises(InvalidField) as raised:
        through_the_wire(payload)
    assert str(raised.value) == refusal


def test_a_record_within_a_record_is_looked_at() -> None:
    request = EchoRequest(payload=replace(PAYLOAD, text=b"x"))
    again = ECHO_REQUEST.decode(ECHO_REQUEST.encode(request))
    with pytest.raises(InvalidField, match=r"^payload\.text: expected a str, got a bytes"):
        check_unchanged(request, again)
