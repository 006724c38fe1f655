"""What generated records and enums are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, dataclass_transform

import msgspec

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Empty", "FieldMask", "OpenEnum", "Record"]


# Type checkers do not know that msgspec hands `frozen` down. It does not hand `kw_only` down.
@dataclass_transform(frozen_default=True)
class Record(msgspec.Struct, frozen=True):
    """Base of all generated records: immutable, and compared by value."""


class Empty(Record):
    """`google.protobuf.Empty`: nothing to ask, or nothing to say."""


class FieldMask(Record, kw_only=True):
    """`google.protobuf.FieldMask`, where a method answers with nothing else.

    A field of that type is a tuple of paths.

    Attributes:
        paths: paths of fields, such as `author.first_name`.
    """

    paths: tuple[str, ...] = ()


class OpenEnum(StrEnum):
    """Base of generated enums, whose values are the names that the contract has.

    A name that this client does not know yet is kept, and so is a number, as a text of digits:
    both can be sent on. Source: https://protobuf.dev/programming-guides/enum
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # Not remembered: a server could fill the memory with names that nobody knows.
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the contract that this client was made from has the value."""
        return self._value_ in type(self)._value2member_map_

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}.{self._name_}"
            if self.is_known
            else f"{type(self).__name__}({self._value_!r})"
        )

    def __hash__(self) -> int:
        return hash(self._value_)
