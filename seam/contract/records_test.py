"""Records are immutable values, and enums keep numbers that they do not know."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping

import msgspec
import pytest

from seam.contract.records import OpenEnum, Record, freeze_mappings


class Colour(OpenEnum):
    UNSPECIFIED = 0
    RED = 1


class Paint(Record, kw_only=True):
    name: str
    colour: Colour
    prices: Mapping[str, int]

    def __post_init__(self) -> None:
        freeze_mappings(self, "prices")


def paint() -> Paint:
    return Paint(name="x", colour=Colour.RED, prices={"EUR": 1})


def test_records_are_equal_when_their_fields_are() -> None:
    assert paint() == paint()
    assert paint() != Paint(name="x", colour=Colour.RED, prices={"EUR": 2})


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        paint().name = "y"  # type: ignore[misc]


def test_a_record_needs_all_fields_without_presence_and_by_name() -> None:
    with pytest.raises(TypeError, match="Missing required argument"):
        Paint(name="x", colour=Colour.RED)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Paint("x", Colour.RED, {})  # type: ignore[call-arg]


def test_a_mapping_cannot_be_changed_through_the_record() -> None:
    with pytest.raises(TypeError):
        paint().prices["EUR"] = 2  # type: ignore[index]


def test_a_mapping_cannot_be_changed_through_what_the_record_was_made_from() -> None:
    prices = {"EUR": 1}
    record = Paint(name="x", colour=Colour.RED, prices=prices)
    prices["EUR"] = 2
    assert record.prices == {"EUR": 1}


def test_what_is_no_mapping_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"Paint\.prices: expected a mapping, got list"):
        Paint(name="x", colour=Colour.RED, prices=[])  # type: ignore[arg-type]


def test_a_known_number_is_the_member() -> None:
    assert Colour(1) is Colour.RED
    assert Colour.RED.is_known


def test_an_unknown_number_is_kept() -> None:
    unknown = Colour(7)
    assert unknown == 7
    assert unknown.value == 7
    assert unknown == Colour(7)
    assert hash(unknown) == hash(Colour(7))
    assert not unknown.is_known


def test_an_unknown_number_is_not_remembered() -> None:
    before = len(list(Colour))
    Colour(8)
    assert len(list(Colour)) == before
    assert not Colour(8).is_known


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1])
def test_a_number_that_is_no_int32_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="is not a valid Colour"):
        Colour(number)


@pytest.mark.parametrize("value", [Colour.RED, Colour(7)])
def test_enum_values_survive_copies_and_encodings(value: Colour) -> None:
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert msgspec.json.decode(msgspec.json.encode(value), type=Colour) == value
    assert json.loads(json.dumps(value)) == value


def test_enum_values_read_well() -> None:
    assert (str(Colour.RED), f"{Colour.RED:>5}", repr(Colour.RED)) == ("RED", "  RED", "Colour.RED")
    assert (str(Colour(7)), f"{Colour(7)}", repr(Colour(7))) == ("7", "7", "Colour(7)")
