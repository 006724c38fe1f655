"""The table of ProtoJSON cases, and what it takes for an answer to agree with it.

`cases.json` beside this module is the table; README.md says what its members mean.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["Answer", "Case", "cases", "disagreement"]

TABLE: Final = Path(__file__).with_name("cases.json")


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table; all JSON is text.

    Attributes:
        name: what the case is about.
        message: the full name of the message that the JSON is read as.
        json: what is read.
        canonical: what is written after that; None when reading is refused.
        answer: the same for a client that reads an answer, where that differs.
        nanoseconds: what a program writes that keeps what is finer than a microsecond.
        lenient: whether a client may do as it likes, since our servers never send this.
    """

    name: str
    message: str
    json: str
    canonical: str | None
    answer: str | msgspec.UnsetType | None = msgspec.UNSET
    nanoseconds: str | None = None
    lenient: bool = False

    def accepted(self, *, from_client: bool) -> tuple[str | None, ...]:
        """What may be written, each as JSON text; None stands for a refusal.

        Args:
            from_client: whether a client has read the JSON, and not the server.
        """
        expected = self.canonical
        if from_client and self.answer is not msgspec.UNSET:
            expected = self.answer
        finer = (self.nanoseconds,) if from_client and self.nanoseconds is not None else ()
        return (expected, *finer)


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program says of a case: one of these.

    Attributes:
        json: what it writes.
        error: why it refuses.
    """

    json: str | None = None
    error: str | None = None


def cases() -> list[Case]:
    """All rows of the table."""
    return msgspec.json.decode(TABLE.read_bytes(), type=list[Case])


def disagreement(case: Case, answer: Answer, *, from_client: bool) -> str | None:
    """Say how an answer differs from what the table has; None when it agrees.

    Args:
        case: the case.
        answer: what a program says of it.
        from_client: whether the program is a client, and not the server.
    """
    if (answer.json is None) == (answer.error is None):
        return f"{case.name}: expected either json or error, got {answer}"
    if from_client and case.lenient:
        return None
    accepted = case.accepted(from_client=from_client)
    if any(_same(answer.json, text) for text in accepted):
        return None
    found = f"refused: {answer.error}" if answer.json is None else answer.json
    wanted = " or ".join("refused" if text is None else text for text in accepted)
    return f"{case.name}\n    read     {case.json}\n    expected {wanted}\n    got      {found}"


def _same(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same JSON value, numbers exactly."""
    return one == other if one is None or other is None else _value(one) == _value(other)


def _value(text: str) -> object:
    return _typed(json.loads(text, parse_float=Decimal, parse_int=Decimal))


def _typed(value: object) -> object:
    """Tell true from 1, which are equal in Python."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (type(value), value)
