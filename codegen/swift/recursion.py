"""Finds messages that hold themselves: structs lie in place, so such values lie elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.model import Enum, Field, Message, OneOf, TypeRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.contract.model import Member

__all__ = ["Recursion"]


class Recursion:
    """Which members of messages lead back to their message.

    Args:
        types: every message and enum by full name.
    """

    def __init__(self, types: Mapping[str, Message | Enum]) -> None:
        self._types = types
        self._reached: dict[str, frozenset[str]] = {}

    def leads_back(self, message: Message, member: Member) -> bool:
        """Whether a value of the member can hold, in place, a value of the message."""
        return any(
            name == message.full_name or message.full_name in self._reachable(name)
            for name in _held(member)
        )

    def _reachable(self, full_name: str) -> frozenset[str]:
        if full_name not in self._reached:
            found: set[str] = set()
            pending = [full_name]
            while pending:
                type_ = self._types.get(pending.pop())
                if isinstance(type_, Message):
                    held = {name for member in type_.members for name in _held(member)}
                    pending += held - found
                    found |= held
            self._reached[full_name] = frozenset(found)
        return self._reached[full_name]


def _held(member: Member) -> Iterator[str]:
    """The messages that a member holds in place: arrays and maps keep theirs elsewhere."""
    fields: tuple[Field, ...] = member.cases if isinstance(member, OneOf) else (member,)
    for field in fields:
        if field.is_single and isinstance(field.type, TypeRef) and not field.type.is_enum:
            yield field.type.full_name
