"""What generated records are made of.

A record is an immutable value that a contract describes. Records hold plain Python values and know
nothing of Protocol Buffers or JSON: the generated `_wire` and `_json` modules convert them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, dataclass_transform

import msgspec

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Empty", "FieldMask", "OpenEnum", "Record", "freeze_mappings"]

_INT32_MIN = -(2**31)
_INT32_MAX = 2**31 - 1


# Type checkers do not know that msgspec hands `frozen` down. It does not hand `kw_only` down.
@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True):
    """Base of all generated records: immutable, and compared by value."""


class Empty(Record):
    """`google.protobuf.Empty`: nothing to ask, or nothing to say."""


class FieldMask(Record, kw_only=True):
    """`google.protobuf.FieldMask`, where a method takes or gives nothing else.

    A field of that type is a tuple of paths.

    Attributes:
        paths: paths of fields, such as `author.first_name`.
    """

    paths: tuple[str, ...]


class OpenEnum(IntEnum):
    """Base of generated enums. A number that the contract does not name is kept, not refused.

    Protocol Buffers calls such enums open: a peer with a newer contract may send values that this
    side does not know yet, and they must survive being read and sent on.

    Source: https://protobuf.dev/programming-guides/enum
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or not _INT32_MIN <= value <= _INT32_MAX:
            return None
        # Not remembered: a peer could fill the memory with numbers that nobody knows.
        member = int.__new__(cls, value)
        member._name_ = str(int(value))
        member._value_ = int(value)
        return member

    @property
    def is_known(self) -> bool:
        """Whether the contract names the number."""
        return self._value_ in type(self)._value2member_map_

    def __str__(self) -> str:
        return self._name_

    def __format__(self, spec: str) -> str:
        return format(self._name_, spec)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}.{self._name_}"
            if self.is_known
            else f"{type(self).__name__}({self._name_})"
        )

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[int]]:
        return type(self), (self._value_,)


def freeze_mappings(record: Record, *names: str) -> None:
    """Replace mappings of a record that is being made by read-only views of private copies.

    Called by generated records that have map fields, so that nobody who keeps the mapping that a
    record was made from can change the record.

    Args:
        record: the record, in its `__post_init__`.
        names: the attributes that hold mappings.

    Raises:
        TypeError: an attribute holds something else.
    """
    for name in names:
        mapping = getattr(record, name)
        if not isinstance(mapping, Mapping):
            raise TypeError(
                f"{type(record).__name__}.{name}: expected a mapping, got {type(mapping).__name__}"
            )
        msgspec.structs.force_setattr(record, name, MappingProxyType(dict(mapping)))
