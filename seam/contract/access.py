"""Who may call a method, as its contract says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The access policy of a method; whoever it does not name is refused.

    Attributes:
        public: everyone may call it, signed in or not.
        signed_in: everyone may call it who is signed in.
        roles: who is signed in may call it with one of these roles.
        callers: these services may call it, whoever it is that they answer.
    """

    public: bool = False
    signed_in: bool = False
    roles: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()


NOBODY: Final = Access()
"""What holds for a method of which nothing is said."""
