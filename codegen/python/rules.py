"""Writes the checks of `(contract.v1.rules)` in `M_wire`: straight-line code.

There is a function for each message that has rules, or holds one that has. Others cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import (
    ContractFile,
    Field,
    Message,
    OneOf,
    Presence,
    Scalar,
    TypeRef,
    Wrapper,
)
from codegen.python.docstrings import docstring
from codegen.python.source import Imports, string

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RuleWriter", "check_variables"]


def check_variables(message: Message) -> Iterator[str]:
    """What the check of a message calls its variables."""
    yield "record"
    for field in message.fields:
        yield from (f"{field.attribute}_at", f"{field.attribute}_item")


class RuleWriter:
    """Writes the checks of one contract's records.

    Args:
        file: the contract.
        imports: the imports of the module that they stand in.
    """

    def __init__(self, file: ContractFile, imports: Imports) -> None:
        self._file = file
        self._imports = imports
        self._patterns: dict[str, str] = {}

    def patterns(self) -> Iterator[str]:
        """The constants that hold the patterns of the checks written so far."""
        for pattern, name in self._patterns.items():
            final = self._imports.name("typing", "Final")
            re = self._imports.module("re")
            yield f"{name}: {final} = {re}.compile({string(pattern)})"

    def check(self, message: Message) -> Iterator[str]:
        """The function that checks records of a message, if it has rules."""
        if not message.ruled:
            return
        record = self._imports.name(message.module, message.name)
        rows = [row for member in message.members for row in self._member(member)]
        text = f"Check a record against the rules of `{message.full_name}`."
        sections = [("Raises", [("InvalidField", "a value breaks a rule of its field.")])]
        yield "\n".join(
            [
                f"def {names.check_function(message.name)}(record: {record}) -> None:",
                "    " + docstring(text, 4, sections),
                *(f"    {row}" for row in rows),
            ]
        )

    def _member(self, member: Field | OneOf) -> Iterator[str]:
        if isinstance(member, OneOf):
            for case in member.cases:
                value = f"record.{member.attribute}"
                class_ = self._imports.name(self._file.module, case.case_class)
                guard = f"isinstance({value}, {class_})"
                yield from self._single(case, f"{value}.value", guard)
        elif member.is_single:
            value = f"record.{member.attribute}"
            is_absent = member.presence is Presence.OPTIONAL
            yield from self._single(member, value, f"{value} is not None" if is_absent else "")
        else:
            yield from self._several(member)

    def _single(self, field: Field, value: str, guard: str) -> Iterator[str]:
        """The checks of a value that stands alone.

        Args:
            field: the field.
            value: the value, as an expression.
            guard: when there is one, as an expression; empty when there always is.
        """
        path = string(field.json_name)
        before = f"{guard} and " if guard else ""
        for condition, expected in self._broken(field, value):
            yield f"if {before}{condition}:"
            yield f"    {self._refusal(path, expected)}"
        inner = self._inner(field)
        if inner is not None:
            call = f"{self._seam('check_one')}({value}, {inner}, {path})"
            yield from [f"if {guard}:", f"    {call}"] if guard else [call]

    def _several(self, field: Field) -> Iterator[str]:
        """The checks of a repeated field or a map."""
        value, path = f"record.{field.attribute}", string(field.json_name)
        rules = field.rules
        if rules is not None:
            noun = "entries" if field.map is not None else "items"
            for condition, expected in _range(
                f"len({value})", rules.min_items, rules.max_items, noun
            ):
                yield f"if {condition}:"
                yield f"    {self._refusal(path, expected)}"
        at, item = f"{field.attribute}_at", f"{field.attribute}_item"
        broken = list(self._broken(field, item))
        if broken:
            yield f"for {at}, {item} in enumerate({value}):"
            for condition, expected in broken:
                yield f"    if {condition}:"
                yield f"        {self._refusal(_indexed(field, at), expected)}"
        inner = self._inner(field)
        if inner is not None:
            check = "check_map" if field.map is not None else "check_tuple"
            yield f"{self._seam(check)}({value}, {inner}, {path})"

    def _broken(self, field: Field, value: str) -> Iterator[tuple[str, str]]:
        """The conditions under which a single value is refused, and what was expected then."""
        rules = field.rules
        if rules is None:
            return
        scalar = field.type.scalar if isinstance(field.type, Wrapper) else field.type
        if not isinstance(scalar, Scalar):
            return
        noun = "bytes" if scalar is Scalar.BYTES else "characters"
        yield from _range(f"len({value})", rules.min_length, rules.max_length, noun)
        is_float = scalar.python == "float"
        yield from _range(value, rules.minimum, rules.maximum, "", has_nan=is_float)
        if rules.pattern:
            name = self._patterns.setdefault(rules.pattern, f"_PATTERN_{len(self._patterns) + 1}")
            yield f"{name}.fullmatch({value}) is None", f"expected to match {rules.pattern}"

    def _inner(self, field: Field) -> str | None:
        """The function that checks the messages that a field holds, if they have rules."""
        if not isinstance(field.type, TypeRef):
            return None
        message = self._file.types.get(field.type.full_name)
        if not isinstance(message, Message) or not message.ruled:
            return None
        module = names.wire_module(field.type.module)
        return self._imports.name(module, names.check_function(field.type.name))

    def _seam(self, name: str) -> str:
        return self._imports.name("seam.codec.rules", name)

    def _refusal(self, path: str, expected: str) -> str:
        error = self._imports.name("seam.contract", "InvalidField")
        return f"raise {error}({path}, {string(expected)})"


def _range(
    value: str, low: float | None, high: float | None, noun: str, *, has_nan: bool = False
) -> Iterator[tuple[str, str]]:
    """The condition under which a number is out of range, and what was expected then.

    Args:
        value: the number, as an expression.
        low: the least that is accepted, if that is said.
        high: the greatest.
        noun: what is counted, in the plural; empty for the number itself.
        has_nan: whether the number can be NaN, which is in no range, and neither below nor above.
    """
    if low is not None and high is not None:
        if low == high:
            yield f"{value} != {low!r}", f"expected {_counted(low, noun)}"
        else:
            expected = f"expected {_said(low)} to {_counted(high, noun)}"
            yield f"not {low!r} <= {value} <= {high!r}", expected
    elif low is not None:
        condition = f"not {value} >= {low!r}" if has_nan else f"{value} < {low!r}"
        yield condition, f"expected at least {_counted(low, noun)}"
    elif high is not None:
        condition = f"not {value} <= {high!r}" if has_nan else f"{value} > {high!r}"
        yield condition, f"expected at most {_counted(high, noun)}"


def _counted(number: float, noun: str) -> str:
    """A number of things, such as `1 entry`."""
    if number == 1:
        noun = f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")
    return f"{_said(number)} {noun}".rstrip()


def _said(number: float) -> str:
    """A number for people: without the `.0` of a float that is an integer."""
    return repr(number).removesuffix(".0")


def _indexed(field: Field, at: str) -> str:
    """The path of an item, as an expression; `at` is the variable that holds its index."""
    name = string(field.json_name).replace("{", "{{").replace("}", "}}")
    return f'f{name[:-1]}[{{{at}}}]"'
