"""What a record cannot say is refused before it is sent, and the place is named."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_client import Record, scalars
from contract_client.descriptors import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    FLOAT,
    INT32,
    INT64,
    STRING,
    TIMESTAMP,
    UINT32,
    UINT64,
    Case,
    Field,
    InvalidJsonError,
    ListField,
    MapField,
    OneOf,
    describe,
    from_json,
    message,
    to_json,
)


class Part(Record, kw_only=True):
    """A part of what is sent."""

    count: Any = 0


class Sized(Record):
    """A case: how large."""

    value: Any


class Everything(Record, kw_only=True):
    """One field of each kind."""

    int32: Any = 0
    uint32: Any = 0
    int64: Any = 0
    uint64: Any = 0
    float_: Any = 0.0
    double: Any = 0.0
    bool_: Any = False
    text: Any = ""
    data: Any = b""
    moment: Any = None
    span: Any = None
    part: Any = None
    parts: Any = ()
    by_name: Any = msgspec.field(default_factory=dict)
    size: Any = None


describe(Part, Field("count", INT32))
describe(
    Everything,
    Field("int32", INT32),
    Field("uint32", UINT32),
    Field("int64", INT64),
    Field("uint64", UINT64),
    Field("float_", FLOAT, "float"),
    Field("double", DOUBLE),
    Field("bool_", BOOL, "bool"),
    Field("text", STRING),
    Field("data", BYTES),
    Field("moment", TIMESTAMP),
    Field("span", DURATION),
    Field("part", message(Part), optional=True),
    ListField("parts", message(Part)),
    MapField("by_name", STRING, message(Part), "byName"),
    OneOf("size", Case(Sized, INT32, "sized")),
)

LONG: Final = 10**5_000
"""Of more digits than Python writes out."""

WRONG: Final = [
    *((name, value) for name in ("int32", "int64", "uint64") for value in (math.nan, LONG, "x")),
    ("int32", 2**31),
    ("uint32", -1),
    ("int64", 1.5),
    ("int32", True),
    ("float_", "x"),
    ("double", LONG),
    ("double", True),
    ("bool_", 1),
    ("text", b"x"),
    ("text", "a\ud800"),
    ("data", "x"),
    ("moment", "2024-05-31T12:00:00Z"),
    ("moment", datetime(2024, 5, 31, tzinfo=UTC).replace(tzinfo=None)),
    ("span", 5),
    ("part", {"count": 1}),
    ("parts", "abc"),
    ("parts", None),
    ("by_name", [("a", Part())]),
    ("size", Part()),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda each: scalars.shown(each)[:20])
def test_a_value_of_another_kind_is_refused_and_named(name: str, value: object) -> None:
    with pytest.raises(InvalidJsonError) as refused:
        to_json(Everything(**{name: value}), defaults=False)
    assert str(refused.value).startswith(f"{name}: expected ")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("held", "place"),
    [
        ({"part": Part(count="x")}, "part.count"),
        ({"parts": [Part(), Part(count=2**31)]}, "parts[1].count"),
        ({"by_name": {"a": Part(count=None), "b": Part(count=1.5)}}, "by_name['b'].count"),
        ({"by_name": {1: Part()}}, "by_name[1]"),
        ({"size": Sized("x")}, "size"),
    ],
)
def test_what_is_wrong_inside_is_named_with_all_that_holds_it(
    held: dict[str, object], place: str
) -> None:
    with pytest.raises(InvalidJsonError) as refused:
        to_json(Everything(**held))
    assert refused.value.path == place


ANYTHING: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.characters(categories=["Cs"])
    | st.binary()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(timedelta(days=-1), timedelta(days=1))
    | st.builds(Part),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(Everything.__struct_fields__), ANYTHING)
def test_whatever_a_field_holds_is_written_as_what_reads_back_or_refused_by_name(
    name: str, value: object
) -> None:
    refusal = None
    try:
        written = to_json(Everything(**{name: value}))
    except InvalidJsonError as error:
        refusal = error
    if refusal is None:
        assert isinstance(from_json(Everything, written), Everything)
    else:
        assert refusal.path.startswith(name)
