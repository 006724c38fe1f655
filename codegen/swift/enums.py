"""Writes enums: cases that a `switch` knows, and one for what a newer server sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.swift.names import ENUM_MEMBERS, NameAllocator, escaped, string, value_name
from codegen.swift.source import documentation

if TYPE_CHECKING:
    from codegen.contract.model import Enum

__all__ = ["case_names", "enum", "zero_case"]


def case_names(enum: Enum) -> dict[str, str]:
    """What each value is called, by its name in the contract."""
    names = NameAllocator(ENUM_MEMBERS)
    return {value.name: names.take(value_name(enum.name, value.name)) for value in enum.values}


def zero_case(enum: Enum) -> str:
    """The value of an absent field."""
    names = case_names(enum)
    return next(f".{escaped(names[value.name])}" for value in enum.values if value.number == 0)


def enum(enum: Enum, name: str) -> list[str]:
    """The declaration of an enum.

    Args:
        enum: the enum.
        name: what it is called.
    """
    names = case_names(enum)
    first_of = {value.number: value.name for value in reversed(enum.values)}
    rows = [
        *documentation(enum.comment, outside=4),
        f"public enum {name}: ContractEnum, JSONForm {{",
    ]
    aliases: list[str] = []
    known: list[str] = []
    for value in enum.values:
        case = names[value.name]
        original = names[first_of[value.number]]
        if case == original:
            rows += documentation(value.comment, 4, outside=4)
            rows.append(f"    case {escaped(case)}")
        else:
            aliases += documentation(value.comment, 4, outside=4)
            aliases.append(f"    public static let {escaped(case)}: {name} = .{escaped(original)}")
        known.append(
            f"        KnownValue(.{escaped(original)}, {string(value.name)}, {value.number}),"
        )
    return [
        *rows,
        "    /// A value that this version does not know.",
        "    case unrecognized(UnrecognizedValue)",
        "",
        *aliases,
        "    /// The enum's full name in the contract.",
        f"    public static let contractName = {string(enum.full_name)}",
        "",
        "    /// The values that this version knows.",
        f"    public static let knownValues: [KnownValue<{name}>] = [",
        *known,
        "    ]",
        "",
        "    /// What is known of a value that this version does not know.",
        "    public var unrecognizedValue: UnrecognizedValue? {",
        "        guard case .unrecognized(let value) = self else { return nil }",
        "        return value",
        "    }",
        "}",
    ]
