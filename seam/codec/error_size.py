"""How large an error may be, on every transport.

gRPC carries 8 KiB of metadata each way unless it is told otherwise (`grpc.max_metadata_size`), with
errors among it, and other people's programs are not told. Errors often repeat what a request said,
and a request may say much: what is too long is cut, so that the error stays what it is.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from seam.codec.wire import Codec
from seam.contract.errors import InvalidField
from seam.contract.records import Record

MAXIMUM_RECORD_BYTES: Final = 3 * 2**10
"""The record of a typed error, as it is written."""

MAXIMUM_TEXT_BYTES: Final = 2**10
"""The text of an error, in UTF-8."""

SHORTENED: Final = 200
"""Characters that are left of a text in a record that was too large."""

R = TypeVar("R", bound=Record)


def fitting_text(text: str) -> str:
    """The text of an error as it travels: Unicode text of bounded length."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAXIMUM_TEXT_BYTES:
        return data.decode()
    return data[: MAXIMUM_TEXT_BYTES - 3].decode("utf-8", "ignore") + "…"


def fitting_record(record: R, codec: Codec[R]) -> R:
    """The record of a typed error as it travels: itself, or one with its long texts cut.

    Raises:
        InvalidField: it is too large all the same, or cannot be written.
    """
    if len(codec.encode(record)) <= MAXIMUM_RECORD_BYTES:
        return record
    shortened = _shortened(record)
    size = len(codec.encode(shortened))
    if size > MAXIMUM_RECORD_BYTES:
        raise InvalidField(
            "", f"an error of {size} bytes; at most {MAXIMUM_RECORD_BYTES} can travel"
        )
    return shortened


def _shortened(record: R) -> R:
    changes: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, str) and len(value) > SHORTENED:
            changes[name] = f"{value[: SHORTENED - 1]}…"
        elif isinstance(value, Record):
            changes[name] = _shortened(value)
    return msgspec.structs.replace(record, **changes)
