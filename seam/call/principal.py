"""Who is asking: a subject, its roles, and the token that proves both.

Between processes the token alone travels, and each process verifies it anew. What a principal says
beside its token is therefore what this process has read in the token, and never what a caller says
of itself.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from seam.contract.errors import InvalidField

__all__ = ["ANONYMOUS", "MAXIMUM_TOKEN_BYTES", "Principal", "check_principal", "claimed"]

MAXIMUM_TOKEN_BYTES: Final = 4 * 2**10
"""A token, as it travels. Those of the shop take a tenth of it."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""Source: https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""


class Principal(msgspec.Struct, frozen=True):
    """Who is asking.

    Attributes:
        subject: the identifier of a user, as the issuer of the token knows it; "" for nobody, and
            for a token that nobody has verified yet.
        roles: what the user is, as the issuer says.
        token: what proves it, as it travels.
    """

    subject: str
    roles: frozenset[str]
    token: str

    def __repr__(self) -> str:
        """Subject and roles. The token would let everyone act in its name who reads a log."""
        return f"Principal({self.subject!r}, {sorted(self.roles)!r})"


ANONYMOUS: Final = Principal("", frozenset(), "")
"""Nobody has signed in."""


def claimed(token: str) -> Principal:
    """The principal of a token that is yet to be verified; it says nothing but the token."""
    return Principal("", frozenset(), token)


def check_principal(principal: Principal) -> None:
    """Check that a principal can travel.

    Raises:
        InvalidField: it has no token, or one that no header can carry.
    """
    if principal == ANONYMOUS:
        return
    if not principal.token:
        raise InvalidField("principal", "expected the token that proves it")
    if len(principal.token) > MAXIMUM_TOKEN_BYTES:
        raise InvalidField("principal", f"expected a token of at most {MAXIMUM_TOKEN_BYTES} bytes")
    if not _TOKEN.fullmatch(principal.token):
        raise InvalidField("principal", "expected a token as RFC 6750 has it")
