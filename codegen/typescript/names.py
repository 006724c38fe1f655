"""How names in a contract become names in TypeScript."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from codegen.client.names import lower_camel

if TYPE_CHECKING:
    from codegen.contract.model import Message, OneOf

__all__ = [
    "NameAllocator",
    "member_key",
    "oneof_member",
    "string",
]

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")

RUNTIME: Final = frozenset(
    {
        "BidirectionalStream",
        "ClientOptions",
        "Connection",
        "DeclaredError",
        "Duration",
        "Empty",
        "EnumType",
        "MessageType",
        "MethodType",
        "Paged",
        "ServerStream",
        "Session",
        "Timestamp",
        "Unary",
        "bidirectional",
        "emptyType",
        "fieldMaskType",
        "paged",
        "serverStream",
        "unary",
    }
)
"""What generated modules import from the run-time."""

# fmt: off
_LANGUAGE: Final = frozenset({
    "any", "arguments", "as", "async", "await", "bigint", "boolean",
    "break", "case", "catch", "class", "const", "continue", "debugger",
    "declare", "default", "delete", "do", "else", "enum", "eval",
    "export", "extends", "false", "finally", "for", "function", "if",
    "implements", "import", "in", "instanceof", "interface", "let", "module",
    "namespace", "never", "new", "null", "number", "object", "package",
    "private", "protected", "public", "return", "static", "string", "super",
    "switch", "symbol", "this", "throw", "true", "try", "type",
    "typeof", "undefined", "unknown", "var", "void", "while", "with",
    "yield", "Date", "Omit", "Readonly", "Record", "Uint8Array",
})
# fmt: on
"""Keywords, and what types of members are made of."""


class NameAllocator:
    """Gives each thing in a module a name of its own."""

    def __init__(self) -> None:
        self._taken = set(RUNTIME | _LANGUAGE)

    def take(self, wanted: str) -> str:
        """The name that was wanted, with `_` behind it until nothing else has it."""
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted


def member_key(name: str) -> str:
    """A member's name where an object's type or value is written."""
    return name if _IDENTIFIER.fullmatch(name) else string(name)


def string(text: str) -> str:
    """A string literal: those of JSON are those of JavaScript."""
    return json.dumps(text, ensure_ascii=False)


def oneof_member(message: Message, oneof: OneOf) -> str:
    """The member that holds a oneof: its name in lowerCamelCase."""
    name = lower_camel(oneof.name)
    while any(field.json_name == name for field in message.fields):
        name += "_"
    return name
