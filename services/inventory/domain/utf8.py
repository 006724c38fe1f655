"""Reads lines of a file in UTF-8, and says where it is none."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO, Final

MAXIMUM_LINE_BYTES: Final = 512 * 1024
"""Bytes of a line."""

_OTHER_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class UnreadableLineError(ValueError):
    """A line is not UTF-8, or too long.

    Attributes:
        column: where in the line, counted from 1; "" for all of it.
        reason: what is wrong and what was expected.
    """

    def __init__(self, column: str, reason: str) -> None:
        """Say what is wrong."""
        super().__init__(reason)
        self.column = column
        self.reason = reason


def decoded(file: IO[bytes]) -> Iterator[str]:
    """Give the lines of a file with their line ends, without its byte order mark.

    Raises:
        UnreadableLineError: the line that would be next cannot be read.
    """
    first = file.readline(MAXIMUM_LINE_BYTES)
    encoding = _other_encoding(first)
    if encoding is not None:
        raise UnreadableLineError("", f"the file is in {encoding}; expected UTF-8")
    yield _decode(first.removeprefix(codecs.BOM_UTF8))
    while line := file.readline(MAXIMUM_LINE_BYTES):
        yield _decode(line)


def _other_encoding(beginning: bytes) -> str | None:
    for mark, encoding in _OTHER_ENCODINGS:
        if beginning.startswith(mark):
            return encoding
    # Without a mark, letters of the first line come with a NUL before or after each.
    return "UTF-16" if beginning[:1] == b"\0" or beginning[1:2] == b"\0" else None


def _decode(line: bytes) -> str:
    if len(line) == MAXIMUM_LINE_BYTES:
        raise UnreadableLineError("", f"has more than {MAXIMUM_LINE_BYTES} bytes")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        reason = f"byte 0x{line[error.start]:02x} is not UTF-8; expected a file in UTF-8"
        raise UnreadableLineError(str(column), reason) from None
