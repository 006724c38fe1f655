"""Messages of the provider's HTTP API, as both of its sides speak it.

`simulator/README.md` describes the API.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

CHARGES: Final = "/v1/charges"
VOIDS: Final = "/v1/voids"
KEY_HEADER: Final = "Idempotency-Key"

MAXIMUM_BYTES: Final = 64 * 1024
"""Bytes of a request or an answer, in either direction."""


class Status(Enum):
    """What has become of a key."""

    CHARGED = "charged"
    DECLINED = "declined"
    VOIDED = "voided"


class ChargeRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Body of `POST /v1/charges`.

    Attributes:
        currency: ISO 4217 code.
        minor_units: how much.
        reference: what the payer reads.
    """

    currency: str
    minor_units: int
    reference: str


class Answer(msgspec.Struct, frozen=True):
    """Body of every answer that says what has become of a key.

    Attributes:
        key: the key.
        status: what has become of it.
        reason: why it was declined.
    """

    key: str
    status: Status
    reason: str = ""
