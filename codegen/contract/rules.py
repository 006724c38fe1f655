"""Reads which values a field accepts: `(contract.v1.rules)`, and refuses what makes no sense."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

from codegen.contract.model import Problem, Rules, Scalar, Wrapper
from codegen.contract.options import RULES, Options
from codegen.contract.patterns import PatternError, check_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.descriptor_pb2 import FieldOptions
    from google.protobuf.message import Message as ProtoMessage

    from codegen.contract.model import FieldType, Location

__all__ = ["RuleReader"]

_PAIRS: Final = (
    ("min_length", "max_length"),
    ("minimum", "maximum"),
    ("min_items", "max_items"),
)

# The Python types that each rule is for, and what it is for in words.
_FITTING: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "min_length": (("str", "bytes"), "a string or bytes"),
    "max_length": (("str", "bytes"), "a string or bytes"),
    "pattern": (("str",), "a string"),
    "minimum": (("int", "float"), "a number"),
    "maximum": (("int", "float"), "a number"),
    "min_items": ((), "a repeated field or a map"),
    "max_items": ((), "a repeated field or a map"),
}

_INTEGERS: Final[Mapping[str, tuple[int, int]]] = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}

# Beyond it, a double stands for several integers.
_EXACT: Final = 2**53


class RuleReader:
    """Reads the rules of the fields of one file.

    Args:
        options: reads options.
        problems: collects what is wrong.
    """

    def __init__(self, options: Options, problems: list[Problem]) -> None:
        self._options = options
        self._problems = problems

    def read(
        self,
        options: FieldOptions,
        name: str,
        type_: FieldType,
        place: Location,
        *,
        repeated: bool,
        is_map: bool,
    ) -> Rules | None:
        """The rules of a field; None when it has none, or they are refused.

        Args:
            options: the field's options.
            name: its name.
            type_: the type of its single values.
            place: where it stands.
            repeated: whether it is repeated and no map.
            is_map: whether it is a map.
        """
        spec = self._options.get(options, RULES)
        if spec is None:
            return None
        scalar = type_.scalar if isinstance(type_, Wrapper) else type_
        kind = scalar if isinstance(scalar, Scalar) and not is_map else None
        reasons = [
            *_out_of_place(spec, kind, has_items=repeated or is_map, is_map=is_map),
            *_out_of_range(spec, kind),
            *_wrong_pattern(spec),
        ]
        self._problems += [Problem(place, f"{name}: {reason}") for reason in reasons]
        if reasons:
            return None
        return Rules(
            min_length=_count(spec, "min_length"),
            max_length=_count(spec, "max_length"),
            pattern=str(getattr(spec, "pattern", "")),
            minimum=_bound(spec, "minimum", kind),
            maximum=_bound(spec, "maximum", kind),
            min_items=_count(spec, "min_items"),
            max_items=_count(spec, "max_items"),
        )


def _out_of_place(
    spec: ProtoMessage, kind: Scalar | None, *, has_items: bool, is_map: bool
) -> Iterator[str]:
    """Rules that say nothing about values of the field's type."""
    given = [field.name for field, _ in spec.ListFields()]
    if not given:
        yield "rules say nothing; leave the option out"
    for name in given:
        kinds, needed = _FITTING[name]
        fits = kind is not None and kind.python in kinds
        if not (has_items if name.endswith("_items") else fits):
            advice = ""
            if is_map and not name.endswith("_items"):
                advice = "; put the map's values into a message with rules of its own"
            yield f"{name} is a rule for {needed}{advice}"


def _out_of_range(spec: ProtoMessage, kind: Scalar | None) -> Iterator[str]:
    """Rules that every value keeps, or none can."""
    for name, value in _given(spec):
        if value == 0 and name.endswith(("_length", "_items")):
            yield f"{name} is 0, which says nothing; expected at least 1"
        elif kind is not None and name.endswith("imum"):
            yield from _wrong_bound(name, value, kind)
    bounds = dict(_given(spec))
    for low, high in _PAIRS:
        if low in bounds and high in bounds and bounds[low] > bounds[high]:
            yield f"{low} is more than {high}, so that no value is accepted"


def _wrong_bound(name: str, value: float, kind: Scalar) -> Iterator[str]:
    if not math.isfinite(value):
        yield f"{name} is {value}; expected a number"
    elif kind.python == "int":
        low, high = _INTEGERS[kind.json_kind]
        if not value.is_integer():
            yield f"{name} is {value}; expected an integer, as the field holds"
        elif abs(value) > _EXACT:
            yield f"{name} is beyond 2^53, which not every reader of a rule can tell apart"
        elif not low <= value <= high:
            yield f"{name} is {int(value)}, which no {kind.value} can be"
    elif kind is Scalar.FLOAT and not _is_float(value):
        yield f"{name} is {value}, which a float cannot be; take its closest value, or a double"


def _is_float(value: float) -> bool:
    try:
        return bool(struct.unpack("<f", struct.pack("<f", value))[0] == value)
    except OverflowError:
        return False


def _wrong_pattern(spec: ProtoMessage) -> Iterator[str]:
    try:
        check_pattern(str(getattr(spec, "pattern", "")))
    except PatternError as error:
        yield f"pattern: {error}"


def _given(spec: ProtoMessage) -> Iterator[tuple[str, float]]:
    """The rules that are numbers."""
    for field, value in spec.ListFields():
        if field.name != "pattern":
            yield field.name, float(value)


def _count(spec: ProtoMessage, name: str) -> int | None:
    return int(getattr(spec, name)) if spec.HasField(name) else None


def _bound(spec: ProtoMessage, name: str, kind: Scalar | None) -> float | None:
    if not spec.HasField(name):
        return None
    value = float(getattr(spec, name))
    return int(value) if kind is not None and kind.python == "int" else value
