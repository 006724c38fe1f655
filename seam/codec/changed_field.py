"""Finds what the wire would change: values that only look like what the contract says.

Protocol Buffers takes some values that are not of a field's type and makes them so: bytes become
text, a list becomes a tuple, a number becomes an enum's member. A handler in the same process would
see them as they are, and one behind a network as they should be.
"""

from __future__ import annotations

from collections.abc import Mapping

from seam.contract.errors import InvalidField
from seam.contract.records import Record

__all__ = ["check_unchanged"]


def check_unchanged(sent: Record, received: Record) -> None:
    """Check that a record came out of the wire as it went in.

    Args:
        sent: the record that was written.
        received: what was read again.

    Raises:
        InvalidField: a value is of another type than its field.
    """
    for name in received.__struct_fields__:
        before, after = getattr(sent, name), getattr(received, name)
        try:
            _check(before, after)
        except InvalidField as error:
            raise error.under(name) from None


def _check(before: object, after: object) -> None:
    if isinstance(after, Record):
        if type(before) is type(after):
            assert isinstance(before, Record)
            check_unchanged(before, after)
            return
    elif isinstance(after, tuple):
        if isinstance(before, tuple):
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                try:
                    _check(one, other)
                except InvalidField as error:
                    raise error.under(f"[{index}]") from None
            return
    elif isinstance(after, Mapping):
        if isinstance(before, Mapping):
            for key, other in after.items():
                try:
                    _check(before[key], other)
                except KeyError:
                    raise InvalidField(f"[{key!r}]", "its key is of another type") from None
                except InvalidField as error:
                    raise error.under(f"[{key!r}]") from None
            return
    elif isinstance(after, float):
        # Numbers of single precision are rounded, and whole ones may be written without a point.
        if isinstance(before, (float, int)):
            return
    elif isinstance(before, type(after)) and before == after:
        return
    raise InvalidField("", f"expected {_named(after)}, got {_named(before)}")


def _named(value: object) -> str:
    return f"a {type(value).__name__}" if value is not None else "nothing"
