"""What the generated checks of `(contract.v1.rules)` are made of: the way into what a record holds.

A check is straight-line code in a generated `_wire` module. It raises InvalidField, whose path has
the names of ProtoJSON, which are those that clients know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from seam.contract.errors import InvalidField
from seam.contract.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["check_map", "check_one", "check_tuple"]

K = TypeVar("K")
R = TypeVar("R", bound=Record)


def check_one(record: R, check: Callable[[R], None], name: str) -> None:
    """Check the record that a field holds.

    Raises:
        InvalidField: a value breaks a rule; the path begins with the field's name.
    """
    try:
        check(record)
    except InvalidField as error:
        raise error.under(name) from None


def check_tuple(records: Iterable[R], check: Callable[[R], None], name: str) -> None:
    """Check the records that a repeated field holds.

    Raises:
        InvalidField: a value breaks a rule; the path begins with the field's name and the index.
    """
    at = -1
    try:
        for at, record in enumerate(records):  # noqa: B007 (the index at fault)
            check(record)
    except InvalidField as error:
        raise error.under(f"{name}[{at}]") from None


def check_map(records: Mapping[K, R], check: Callable[[R], None], name: str) -> None:
    """Check the records that a map field holds.

    Raises:
        InvalidField: a value breaks a rule; the path begins with the field's name and the key.
    """
    for key, record in records.items():
        try:
            check(record)
        except InvalidField as error:
            raise error.under(f"{name}[{key}]") from None
