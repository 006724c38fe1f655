"""Requests that break a rule of the contract are refused before a handler sees them."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from msgspec import structs

from conformance.check import check
from conformance.requests import collected, download, events, failure_of, new_key
from conformance.v1.conformance import (
    AcceptRequest,
    AcceptRequestChoicePart,
    AcceptRequestChoiceWord,
    AcceptResponse,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.contract.errors import Code, InvalidArgumentError, StatusError

GOOD: Final = AcceptRequest(
    key="",
    short_text="a",
    words="",
    data=b"",
    quantity=0,
    fraction=0.0,
    numbers=(),
    counts={},
    parts=(),
    parts_by_name={},
    answer=0,
)

BAD: Final = structs.replace(GOOD, quantity=100)

KEPT: Final[tuple[dict[str, Any], ...]] = (
    {"short_text": "\N{GRINNING FACE}" * 5},
    {"words": "two-words"},
    {"data": b"\x00" * 3},
    {"quantity": 99},
    {"fraction": 1.0},
    {"note": "ab"},
    {"numbers": (1, 2**62, 3)},
    {"counts": {"a": -1, "b": 0}},
    {"parts": (GOOD, GOOD)},
    {"choice": AcceptRequestChoiceWord("four")},
    {"choice": AcceptRequestChoicePart(GOOD)},
)
"""What keeps the rules, as changes of a good request."""

BROKEN: Final[tuple[tuple[dict[str, Any], str, str], ...]] = (
    ({"short_text": ""}, "shortText", "expected 1 to 5 characters"),
    ({"short_text": "\N{GRINNING FACE}" * 6}, "shortText", "expected 1 to 5 characters"),
    (
        {"words": "a" * 10_000 + "!"},
        "words",
        "expected to match (?:[a-z0-9]+(?:-[a-z0-9]+)*)?",
    ),
    ({"words": "two\n"}, "words", "expected to match (?:[a-z0-9]+(?:-[a-z0-9]+)*)?"),
    ({"data": b"1234"}, "data", "expected at most 3 bytes"),
    ({"quantity": -1}, "quantity", "expected 0 to 99"),
    ({"quantity": 2**31 - 1}, "quantity", "expected 0 to 99"),
    ({"fraction": math.nan}, "fraction", "expected 0 to 1"),
    ({"fraction": math.inf}, "fraction", "expected 0 to 1"),
    ({"fraction": -1e-300}, "fraction", "expected 0 to 1"),
    ({"note": ""}, "note", "expected at least 2 characters"),
    ({"numbers": (1, 1, 1, 1)}, "numbers", "expected at most 3 items"),
    ({"numbers": (1, 0)}, "numbers[1]", "expected at least 1"),
    ({"counts": {"a": 1, "b": 2, "c": 3}}, "counts", "expected at most 2 entries"),
    ({"parts": (GOOD, BAD)}, "parts[1].quantity", "expected 0 to 99"),
    ({"parts_by_name": {"x": BAD}}, "partsByName[x].quantity", "expected 0 to 99"),
    ({"choice": AcceptRequestChoiceWord("fives")}, "word", "expected at most 4 characters"),
    ({"choice": AcceptRequestChoicePart(BAD)}, "part.quantity", "expected 0 to 99"),
    (
        {"parts": (structs.replace(GOOD, choice=AcceptRequestChoicePart(BAD)),)},
        "parts[0].part.quantity",
        "expected 0 to 99",
    ),
)
"""What breaks them, and how it is refused: the field, and what was expected."""


def _requests(key: str, changes: Iterable[dict[str, Any]]) -> list[AcceptRequest]:
    return [structs.replace(GOOD, key=key, **change) for change in changes]


def _refusal(error: StatusError) -> tuple[Code, str, str]:
    assert isinstance(error, InvalidArgumentError), error
    return error.code, error.field.path, error.field.reason


@check
async def a_request_that_keeps_the_rules_is_accepted(stub: ConformanceStub) -> None:
    key = new_key()
    for request in _requests(key, KEPT):
        assert await stub.accept(request) == AcceptResponse(answer=0)
    assert await events(stub, key) == {"accepted": len(KEPT)}


@check
async def a_request_that_breaks_a_rule_is_refused_and_its_field_named(
    stub: ConformanceStub,
) -> None:
    key = new_key()
    changes, paths, reasons = zip(*BROKEN, strict=True)
    for request, path, reason in zip(_requests(key, changes), paths, reasons, strict=True):
        error = await failure_of(stub.accept(request))
        assert _refusal(error) == (Code.INVALID_ARGUMENT, path, reason)
        assert error.message == f"{path}: {reason}"
    assert await events(stub, key) == {}


@check
async def a_stream_of_requests_ends_with_the_first_that_breaks_a_rule(
    stub: ConformanceStub,
) -> None:
    key = new_key()

    async def requests() -> AsyncIterator[AcceptRequest]:
        for request in (GOOD, GOOD, BAD, GOOD):
            yield structs.replace(request, key=key)

    error = await failure_of(collected(stub.accept_each(requests())))
    assert _refusal(error) == (Code.INVALID_ARGUMENT, "quantity", "expected 0 to 99")
    assert await events(stub, key) == {"accepted": 2}


@check
async def a_request_for_a_stream_is_checked_too(stub: ConformanceStub) -> None:
    error = await failure_of(collected(stub.download(download(1, key="x" * 101))))
    expected = (Code.INVALID_ARGUMENT, "key", "expected at most 100 characters")
    assert _refusal(error) == expected


@check
async def a_response_that_breaks_a_rule_is_a_defect_and_does_not_arrive(
    stub: ConformanceStub,
) -> None:
    assert await stub.accept(structs.replace(GOOD, answer=9)) == AcceptResponse(answer=9)
    for answer in (-1, 10):
        error = await failure_of(stub.accept(structs.replace(GOOD, answer=answer)))
        assert error.code is Code.INTERNAL
        assert "answer" not in error.message


@check
async def a_stream_of_responses_ends_before_the_first_that_breaks_a_rule(
    stub: ConformanceStub,
) -> None:
    async def requests() -> AsyncIterator[AcceptRequest]:
        for answer in (1, 2, 10, 3):
            yield structs.replace(GOOD, answer=answer)

    arrived: list[int] = []

    async def read() -> None:
        async for response in stub.accept_each(requests()):
            arrived.append(response.answer)

    error = await failure_of(read())
    assert error.code is Code.INTERNAL
    assert arrived == [1, 2]
