"""Identities of chats: those of later chats come later, and nobody can guess them."""

from __future__ import annotations

import secrets
import uuid
from typing import Final

LENGTH: Final = 36

_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62


def new_chat_id(microseconds: int) -> str:
    """Make the identity of a chat that is opened at a time since the epoch.

    Source: UUID version 7, https://www.rfc-editor.org/rfc/rfc9562#section-5.7, with the fraction of
    the millisecond in `rand_a`, as its section 6.2 has it.
    """
    milliseconds, rest = divmod(microseconds, 1000)
    fraction = rest * 4096 // 1000
    number = milliseconds << 80 | _VERSION_7 | fraction << 64 | _VARIANT | secrets.randbits(62)
    return str(uuid.UUID(int=number))
