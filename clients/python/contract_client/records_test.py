"""Enums keep what a newer server says."""

from __future__ import annotations

import copy
import pickle

from contract_client import OpenEnum
from contract_client.descriptors import enum


class Colour(OpenEnum):
    UNSPECIFIED = "COLOUR_UNSPECIFIED"
    RED = "COLOUR_RED"


COLOUR = enum(Colour, {0: "COLOUR_UNSPECIFIED", 1: "COLOUR_RED"})


def test_a_known_name_or_number_is_the_member() -> None:
    assert Colour("COLOUR_RED") is Colour.RED
    assert COLOUR.read(1, 0) is COLOUR.read("COLOUR_RED", 0) is Colour.RED


def test_unknown_names_and_numbers_are_kept_and_sent_on() -> None:
    for value in ("COLOUR_NEW", 7, -3):
        read = COLOUR.read(value, 0)
        assert not read.is_known
        assert COLOUR.write(read, True) == value
    assert list(Colour) == [Colour.UNSPECIFIED, Colour.RED]


def test_values_survive_copies_and_read_well() -> None:
    for value in (Colour.RED, Colour("COLOUR_NEW")):
        assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
    assert (repr(Colour.RED), repr(Colour("X")), str(Colour.RED)) == (
        "Colour.RED",
        "Colour('X')",
        "COLOUR_RED",
    )
