"""Roles: what the shop trusts an account with. What a role may do is said in contracts."""

from __future__ import annotations

import re
from typing import Final

MAXIMUM_LENGTH: Final = 32

_ROLE: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def is_role(text: str) -> bool:
    """Whether a text can be the name of a role."""
    return _ROLE.fullmatch(text) is not None
