"""How names in a contract become names in Swift."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from codegen.client.names import lower_camel, lower_first
from codegen.names import camel, constant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = [
    "ENUM_MEMBERS",
    "GENERATED",
    "KEYWORDS",
    "LANGUAGE",
    "MESSAGE_MEMBERS",
    "NameAllocator",
    "case_name",
    "escaped",
    "member_name",
    "method_name",
    "namespace_name",
    "string",
    "type_name",
    "value_name",
]

# fmt: off
KEYWORDS: Final = frozenset({
    "Any", "Protocol", "Self", "Type", "as", "associatedtype", "async", "await", "borrowing",
    "break", "case", "catch", "class", "consuming", "continue", "default", "defer", "deinit", "do",
    "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard",
    "if", "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator",
    "precedencegroup", "private", "protocol", "public", "repeat", "rethrows", "return", "self",
    "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
    "typealias", "var", "where", "while",
})
"""Words that stand in backticks where something is declared by them."""

_NO_MEMBER: Final = frozenset({"Protocol", "Self", "Type", "init", "self"})
# What these mean behind a point, backticks do not change.

LANGUAGE: Final = frozenset({
    "Array", "Bool", "Data", "Dictionary", "Double", "Duration", "Error", "Float", "Foundation",
    "Hashable", "Int", "Int32", "Int64", "Never", "Optional", "Result", "Sendable", "Set",
    "String", "Swift", "Task", "UInt32", "UInt64", "URL", "Void",
})
"""What generated code calls by name, of the language and Foundation, and what macros of it may."""

GENERATED: Final = frozenset({
    "ApiError", "CallOptions", "ClientOptions", "Connection", "ContractEnum", "ContractMessage",
    "Conversation", "Empty", "FieldMask", "Indirect", "InvalidValue", "Items", "JSONForm",
    "KnownValue", "MessageReader", "MessageWriter", "MethodDescriptor", "Pages", "Responses",
    "Session", "Timestamp", "UnrecognizedValue",
})
"""What generated code calls by name, of the run-time."""

MESSAGE_MEMBERS: Final = frozenset({"hash", "hashValue", "contractName", "protoJSON", "write"})
"""What every message has besides its fields."""

ENUM_MEMBERS: Final = frozenset({
    "allCases", "contractName", "contractValueName", "hash", "hashValue", "knownValues", "none",
    "some", "unrecognized", "unrecognizedValue",
})
"""What every enum has besides its values, and what an optional one would be taken for."""
# fmt: on

_IDENTIFIER: Final = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z_][A-Za-z0-9_]*")


class NameAllocator:
    """Gives each thing in a scope a name of its own.

    Args:
        taken: the names that nothing can have there.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    @property
    def taken(self) -> frozenset[str]:
        """All names that nothing more can have."""
        return frozenset(self._taken)

    def take(self, wanted: str) -> str:
        """The name that was wanted, with `_` behind it until nothing else has it."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted


def type_name(name: str) -> str:
    """What a message or an enum is called."""
    if not _IDENTIFIER.fullmatch(name):
        return f"X{name}"
    return f"{name}_" if name in KEYWORDS else name


def namespace_name(package: str, *, whole: bool) -> str:
    """What holds the messages of a package: `inventory.v1` is `Inventory`.

    Args:
        package: the package.
        whole: whether its version belongs to the name, since another package has the rest, too.
    """
    parts = package.split(".")
    if not whole and len(parts) > 1 and re.fullmatch(r"v\d+\w*", parts[-1]):
        parts.pop()
    return type_name(camel("_".join(parts)) or "Contract")


def member_name(name: str, taken: Collection[str] = ()) -> str:
    """What a field is called as a property: `card_number` is `cardNumber`.

    Args:
        name: the name in the contract.
        taken: the names that no property can have.
    """
    found = lower_camel(name)
    found = found[:1].lower() + found[1:]
    if not _IDENTIFIER.fullmatch(found):
        found = f"x{found}"
    while found in _NO_MEMBER or found in taken:
        found += "_"
    return found


def value_name(enum: str, value: str) -> str:
    """What an enum's value is called: `CATEGORY_HOME` of `Category` is `home`.

    Args:
        enum: the enum's own name.
        value: the value's name.
    """
    stripped = value.removeprefix(f"{constant(enum)}_")
    return case_name(stripped if re.match(r"[A-Za-z]", stripped) else value)


def case_name(name: str) -> str:
    """What a case is called: `GENRE_OTHER` is `genreOther`."""
    return member_name(name.lower() if name.isupper() else name, ENUM_MEMBERS)


def method_name(name: str) -> str:
    """What a method is called: `GetItem` is `getItem`."""
    found = lower_first(name)
    if not _IDENTIFIER.fullmatch(found):
        found = f"x{found}"
    return f"{found}_" if found in _NO_MEMBER else found


def escaped(name: str) -> str:
    """A name where it is declared, or stands alone."""
    return f"`{name}`" if name in KEYWORDS else name


def string(text: str) -> str:
    """A string literal: those of JSON are those of Swift, but for signs that no name has."""
    return json.dumps(text, ensure_ascii=False)
