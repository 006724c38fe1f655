"""Field masks and empty messages, on the wire and in JSON, against json_format."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty as EmptyMessage
from google.protobuf.field_mask_pb2 import FieldMask as FieldMaskMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from seam.codec.protojson import read_field_mask, write_field_mask
from seam.codec.wellknown_records import (
    EMPTY,
    FIELD_MASK,
    empty_from_json,
    empty_to_json,
    field_mask_to_json,
)
from seam.codec.wire import field_mask_fill, field_mask_from_proto
from seam.contract import Empty, FieldMask, InvalidField

PATHS = st.text("ab_.Z1,* é", min_size=0, max_size=8)


def as_json(paths: tuple[str, ...]) -> Any:
    """What json_format writes; None when it refuses."""
    try:
        return json_format.MessageToDict(FieldMaskMessage(paths=paths))
    except Exception:
        return None


def from_json(text: Any) -> Any:
    """What json_format reads; None when it refuses."""
    try:
        return tuple(json_format.ParseDict(text, FieldMaskMessage()).paths)
    except Exception:
        return None


@settings(derandomize=True)
@given(st.lists(PATHS, max_size=3).map(tuple))
def test_a_mask_is_written_as_json_format_does_if_it_reads_back(paths: tuple[str, ...]) -> None:
    try:
        text = write_field_mask(paths)
    except InvalidField:
        expected = as_json(paths)
        came_back = None if expected is None else from_json(expected)
        odd = any(not path or " " in path or not path.isascii() for path in paths)
        assert came_back != paths or odd
    else:
        assert text == as_json(paths)
        assert read_field_mask(text) == paths == from_json(text)


@settings(derandomize=True)
@given(st.text("abZ_.1,* é", max_size=10))
def test_a_mask_is_read_as_by_json_format_if_it_is_one(text: str) -> None:
    try:
        paths = read_field_mask(text)
    except InvalidField:
        odd = " " in text or not text.isascii() or "" in text.split(",")
        assert from_json(text) is None or odd
    else:
        assert paths == from_json(text)
        assert write_field_mask(paths) == text


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        ((), ""),
        (("title",), "title"),
        (("price_each", "author.first_name"), "priceEach,author.firstName"),
        (("*", "_hidden", "x1.y_z"), "*,Hidden,x1.yZ"),
    ],
)
def test_a_mask_is_one_text_with_commas(paths: tuple[str, ...], text: str) -> None:
    assert (write_field_mask(paths), read_field_mask(text)) == (text, paths)


WRONG = ["fooBar", "foo__bar", "foo_", "foo_1", "foo_B", "a,b", "", "a b", "É", "a\n"]


@pytest.mark.parametrize("path", WRONG)
def test_a_path_that_does_not_come_back_is_refused_everywhere(path: str) -> None:
    with pytest.raises(InvalidField, match="expected paths in snake case"):
        write_field_mask(("a", path))
    with pytest.raises(InvalidField, match="expected paths in snake case"):
        field_mask_fill(FieldMaskMessage(), (path,))
    with pytest.raises(InvalidField, match="expected paths in snake case"):
        field_mask_from_proto(FieldMaskMessage(paths=[path]))
    with pytest.raises(InvalidField, match="expected paths in snake case"):
        FIELD_MASK.encode(FieldMask(paths=(path,)))


@pytest.mark.parametrize("value", [None, 1, True, ["a"], {}, "a_b", "a,,b", ",", "a, b", " ", "é"])
def test_what_is_no_mask_in_json_is_refused(value: object) -> None:
    with pytest.raises(InvalidField, match="expected paths in lowerCamelCase"):
        read_field_mask(value)


@pytest.mark.parametrize("value", ["ab", ["a"], None, (1,)])
def test_what_is_no_tuple_of_paths_is_refused(value: Any) -> None:
    with pytest.raises(InvalidField, match="expected "):
        field_mask_fill(FieldMaskMessage(), value)


def test_a_mask_without_paths_is_there_all_the_same() -> None:
    message = FieldMaskMessage()
    field_mask_fill(message, ())
    assert field_mask_from_proto(message) == ()
    record = FieldMask(paths=("a", "b_c"))
    assert FIELD_MASK.decode(FIELD_MASK.encode(record)) == record
    assert field_mask_to_json(record) == "a,bC"


def test_an_empty_message_is_an_empty_record() -> None:
    assert EMPTY.encode(Empty()) == EmptyMessage().SerializeToString() == b""
    assert EMPTY.decode(b"") == Empty()
    assert empty_to_json(Empty()) == json_format.MessageToDict(EmptyMessage()) == {}
    assert empty_from_json({}) == Empty()


@pytest.mark.parametrize(("value", "path"), [({"x": 1}, "x"), (None, ""), ([], ""), ("", "")])
def test_what_is_no_empty_object_is_refused(value: object, path: str) -> None:
    with pytest.raises(InvalidField) as refused:
        empty_from_json(value)
    assert refused.value.path == path
