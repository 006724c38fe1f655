"""What payments ask of a payment provider, whoever it is.

A provider knows a payment by a key, which is the payment's id, and keeps three promises:

1. It charges a key at most once. Asked again with the same key it answers the same, and a charge
   that it has declined stays declined.
2. Once it has answered that a key is voided, it holds no money under it and never will, even when
   a charge with that key reaches it later.
3. A call that failed with `ProviderUnavailableError` may have had its effect, now or later. The
   same call made again finds out.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from contract.v1.money import Money


class Charged(msgspec.Struct, frozen=True):
    """The provider holds the money."""


class Declined(msgspec.Struct, frozen=True):
    """The provider refuses to take the money, and will not change its mind.

    Attributes:
        reason: why, in its words.
    """

    reason: str


class Voided(msgspec.Struct, frozen=True):
    """The key was voided before."""


class ProviderUnavailableError(Exception):
    """The provider did not answer; whether it did what it was asked for is not known."""


class ProviderDefectError(Exception):
    """The provider and this program do not understand each other; the text says where.

    Whether the provider did what it was asked for is not known.
    """


class PaymentProvider(Protocol):
    """Takes money, and gives it back."""

    async def charge(self, key: str, amount: Money, reference: str) -> Charged | Declined | Voided:
        """Take money once.

        Args:
            key: names the charge for ever; visible ASCII.
            amount: how much.
            reference: what the payer reads.

        Raises:
            ProviderUnavailableError: the outcome is not known; ask again.
            ProviderDefectError: the request was refused as wrong, or the answer is no answer.
        """
        ...

    async def void(self, key: str) -> None:
        """Give back what was taken under a key, if anything, and refuse it for ever.

        Raises:
            ProviderUnavailableError: the outcome is not known; ask again.
            ProviderDefectError: the request was refused as wrong, or the answer is no answer.
        """
        ...
