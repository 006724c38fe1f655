"""E-mail addresses: what may be one, and which are the same.

Whether mail arrives there is not told by looking at it, so little is asked of an address: enough
that it can be written into a header of a mail and stored.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from seam.contract import InvalidField

MAXIMUM_LENGTH: Final = 254
"""Source: https://www.rfc-editor.org/errata/eid1690, in characters here."""

_MAXIMUM_LOCAL_PART: Final = 64
"""Source: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.1."""

_LABEL: Final = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_UNUSABLE: Final = frozenset('()<>[]:;,\\"')


class EmailAddress(NamedTuple):
    """An e-mail address.

    Attributes:
        shown: as its owner writes it.
        key: the same for all ways to write it: case does not matter.
    """

    shown: str
    key: str


def read_email_address(text: str) -> EmailAddress:
    """Read an address that somebody has given.

    Raises:
        InvalidField: it is none.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise _refused(f"has {len(text)} characters; expected at most {MAXIMUM_LENGTH}")
    shown = unicodedata.normalize("NFC", text)
    local, _, domain = shown.rpartition("@")
    if not (
        1 <= len(local) <= _MAXIMUM_LOCAL_PART
        and "@" not in local
        and shown.isprintable()
        and " " not in shown
        and _UNUSABLE.isdisjoint(shown)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and all(_LABEL.fullmatch(label) for label in domain.split("."))
    ):
        raise _refused("is no e-mail address; expected one such as ann@example.org")
    key = unicodedata.normalize("NFC", shown.casefold())
    if max(len(shown), len(key)) > MAXIMUM_LENGTH:
        raise _refused(f"expected at most {MAXIMUM_LENGTH} characters")
    return EmailAddress(shown, key)


def _refused(reason: str) -> InvalidField:
    return InvalidField("email", reason)
