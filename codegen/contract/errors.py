"""Reads the error messages of a contract: `option (contract.v1.error)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from google.rpc.code_pb2 import Code

from codegen.contract.model import (
    ErrorSpec,
    Field,
    Location,
    Message,
    Presence,
    Problem,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.contract.options import ERROR, Options

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import MessageOptions

    from codegen.contract.comments import SourceInfo

__all__ = ["ErrorReader"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

# contract.v1's extension of MessageOptions.
_ERROR_FIELD = 50001


class ErrorReader:
    """Reads what a message says of itself as an error.

    Args:
        options: reads options.
        source: locations in the file.
        problems: collects what is wrong.
    """

    def __init__(self, options: Options, source: SourceInfo, problems: list[Problem]) -> None:
        self._options = options
        self._source = source
        self._problems = problems

    def read(
        self, options: MessageOptions, message: Message, path: tuple[int, ...]
    ) -> ErrorSpec | None:
        """The error that a message is; None when it is none.

        Args:
            options: the message's options.
            message: the message.
            path: its path in the source information.
        """
        found = self._options.get(options, ERROR)
        if found is None:
            return None
        place = self._source.location(*path, 7, _ERROR_FIELD)
        number = int(getattr(found, "code", 0))
        code = Code.Name(number) if number in Code.values() else "OK"
        if code == "OK":
            self._refuse(place, f"{message.name}: code must be a canonical code other than OK")
        text = str(getattr(found, "text", ""))
        if not text:
            self._refuse(
                place, f"{message.name}: text is missing; say in one sentence what happened"
            )
        name = str(getattr(found, "retry_after", ""))
        return ErrorSpec(
            code,
            self._checked_text(text, message, place),
            self._seconds(name, message, place) if name else None,
        )

    def _seconds(self, name: str, message: Message, place: Location) -> Field | None:
        """The field that says when to ask again; None when it cannot."""
        fields = {field.name: field for field in message.all_fields}
        field = fields.get(name)
        if field is None:
            known = f"; it has {', '.join(fields)}" if fields else ""
            reason = f"retry_after names {name}, which the message does not have{known}"
        elif not _is_integer(field):
            reason = f"retry_after names {name}; only a single integer that is always there fits"
        else:
            return field
        self._refuse(place, f"{message.name}: {reason}")
        return None

    def _checked_text(self, text: str, message: Message, place: Location) -> str:
        """The text, with placeholders as they are called in Python."""
        fields = {field.name: field for field in message.fields}
        if "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
            self._refuse(place, f"{message.name}: text has a brace without its counterpart")

        def attribute(match: re.Match[str]) -> str:
            field = fields.get(match.group(1))
            if field is None:
                known = f"; it has {', '.join(fields)}" if fields else ""
                reason = f"text names {match.group()}, which the message does not have{known}"
                self._refuse(place, f"{message.name}: {reason}")
                return match.group()
            if not _is_sayable(field):
                reason = (
                    "only single scalars, enums, timestamps and durations that are always there"
                )
                self._refuse(place, f"{message.name}: text names {match.group()}; {reason} fit in")
            return f"{{{field.attribute}}}"

        return _PLACEHOLDER.sub(attribute, text)

    def _refuse(self, location: Location, reason: str) -> None:
        self._problems.append(Problem(location, reason))


def _is_integer(field: Field) -> bool:
    is_there = field.presence is not Presence.OPTIONAL and not field.case_class
    is_number = isinstance(field.type, Scalar) and field.type.python == "int"
    return field.is_single and is_there and is_number


def _is_sayable(field: Field) -> bool:
    if not field.is_single or field.presence is Presence.OPTIONAL:
        return False
    if isinstance(field.type, TypeRef):
        return field.type.is_enum
    if isinstance(field.type, Wrapper):
        return True
    return isinstance(field.type, WellKnown) or field.type is not Scalar.BYTES
