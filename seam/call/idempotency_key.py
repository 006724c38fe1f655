"""The key by which a caller names what it wants done, so that it can ask again.

A method whose contract says `idempotency_key` is asked with it. It is metadata of the call, under
the name that it has as a header of HTTP, so that any gateway that hands headers on hands it on.
"""

from __future__ import annotations

import re
from typing import Final

from seam.call.context import current_call
from seam.call.metadata import MetadataValue
from seam.contract.errors import InvalidArgumentError, InvalidField

__all__ = ["IDEMPOTENCY_KEY", "check_idempotency_key", "idempotency_key"]

IDEMPOTENCY_KEY: Final = "idempotency-key"
"""What the key is called: as metadata, and as a header of HTTP, in any case."""

_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")


def idempotency_key() -> str:
    """The key that the current call was made with.

    Raises:
        InvalidArgumentError: it was made without one, or with one that is none.
    """
    call = current_call.get()
    try:
        return check_idempotency_key(None if call is None else call.metadata.get(IDEMPOTENCY_KEY))
    except InvalidField as error:
        raise InvalidArgumentError(error) from None


def check_idempotency_key(key: MetadataValue | None) -> str:
    """Check a key.

    Raises:
        InvalidField: it is none.
    """
    if isinstance(key, str) and _KEY.fullmatch(key):
        return key
    fault = "missing" if key is None else "not a key"
    raise InvalidField(
        IDEMPOTENCY_KEY,
        f"{fault}; expected 1 to 255 printable ASCII characters that name what is asked for",
    )
