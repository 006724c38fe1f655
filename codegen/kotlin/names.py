"""How names in a contract become names in Kotlin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codegen.client.names import lower_camel, lower_first, parts
from codegen.names import camel

if TYPE_CHECKING:
    from collections.abc import Collection

    from codegen.contract.model import Field, OneOf

__all__ = [
    "KEYWORDS",
    "RUNTIME_PACKAGE",
    "TYPES",
    "NameAllocator",
    "case_name",
    "file_name",
    "package_name",
    "property_name",
    "string",
    "type_name",
]

RUNTIME_PACKAGE: Final = "contract.client"
"""The package of what is written by hand."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# fmt: off
KEYWORDS: Final = frozenset({
    "as", "break", "class", "continue", "do", "else", "false", "for", "fun", "if", "in",
    "interface", "is", "null", "object", "package", "return", "super", "this", "throw", "true",
    "try", "typealias", "typeof", "val", "var", "when", "while",
})
"""The words that are never names."""

_KOTLIN: Final = (
    "Any", "Boolean", "Double", "Float", "Int", "JvmInline", "List", "Long", "Map", "Nothing",
    "String", "UInt", "ULong", "Unit",
)

_RUNTIME: Final = (
    "BOOL", "BYTES", "ByteString", "CallOptions", "Case", "ClientOptions", "Connection",
    "Conversation", "DOUBLE", "DURATION", "DeclaredError", "EmptyMessage", "EmptyType", "EnumType",
    "ApiException", "ErrorDetails", "FIELD_MASK", "FLOAT", "FieldMask", "Grant", "INT32", "INT64",
    "MessageType", "MessageValue", "Method", "OpenEnum", "Received", "STRING", "Session",
    "SessionMethod", "SessionMethods", "SessionRole", "TIMESTAMP", "UINT32", "UINT64", "Written",
    "converse", "items", "pages", "stream",
)
# fmt: on

TYPES: Final = {
    **{name: f"kotlin.{name}" for name in _KOTLIN if name not in ("JvmInline", "List", "Map")},
    "JvmInline": "kotlin.jvm.JvmInline",
    "List": "kotlin.collections.List",
    "Map": "kotlin.collections.Map",
    **{name: f"{RUNTIME_PACKAGE}.{name}" for name in _RUNTIME},
    "Closeable": "java.io.Closeable",
    "Duration": "java.time.Duration",
    "Flow": "kotlinx.coroutines.flow.Flow",
    "Instant": "java.time.Instant",
    "milliseconds": "kotlin.time.Duration.Companion.milliseconds",
}
"""Where that is from what generated code stands on, by its name there."""


class NameAllocator:
    """Gives each thing in a scope a name of its own.

    Args:
        reserved: names that are taken, besides Kotlin's words.
    """

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._taken = {*KEYWORDS, *reserved}

    def take(self, wanted: str) -> str:
        """The name that was wanted, with `_` behind it until nothing else has it."""
        while wanted in self._taken or not wanted.strip("_"):
            wanted += "_" if wanted.strip("_") else "x"
        self._taken.add(wanted)
        return wanted


def property_name(member: Field | OneOf) -> str:
    """The name of a property: `card_number` as `cardNumber`, `HTTP` as `http`."""
    return _identifier(lower_first(lower_camel(member.name) or member.name))


def case_name(case: Field) -> str:
    """The name of a case of a oneof: `card_number` as `CardNumber`."""
    return _identifier(type_name(camel(case.name)))


def type_name(name: str) -> str:
    """The name of a class, whose first letter is large: no property hides it."""
    return name[:1].upper() + name[1:]


def _identifier(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else f"_{name}"


def package_name(path: str, product: str) -> str:
    """The package of a contract: `library/v1/api.proto` is in `PRODUCT.library.v1`."""
    segments = (re.sub(r"\W", "_", part) for part in parts(path)[:-1])
    return ".".join((product, *(f"{each}_" if each in KEYWORDS else each for each in segments)))


def file_name(path: str) -> str:
    """The file of a contract: `library/v1/api.proto` is `Api.kt`."""
    return f"{camel(re.sub(r'[^A-Za-z0-9]', '_', parts(path)[-1]))}.kt"


def string(text: str) -> str:
    """A string literal."""
    escapes = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'
