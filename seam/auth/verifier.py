"""Verifies tokens, and remembers those that were verified."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from seam.auth.key_source import KeySource
from seam.auth.tokens import Expected, TokenError, Verified, read_token
from seam.call.principal import Principal
from seam.contract.errors import Code, StatusError

__all__ = ["TokenVerifier"]

REMEMBERED: Final = 4_096
"""Verified tokens that are remembered; those that were not used for the longest time go first."""


class TokenVerifier:
    """Verifies the tokens of one issuer; see `Authenticator`."""

    def __init__(
        self, expected: Expected, source: KeySource, *, now: Callable[[], float] = time.time
    ) -> None:
        """Verify tokens by the keys of `source`.

        Args:
            expected: what tokens must say.
            source: keeps the issuer's keys.
            now: tells the time in seconds since the epoch. It may jump: what a token says of time
                is compared anew each time.
        """
        self._expected = expected
        self._source = source
        self._now = now
        self._remembered: OrderedDict[str, Verified] = OrderedDict()
        # What a withdrawn key has signed is good no more.
        source.on_change = self._remembered.clear

    def known(self, token: str) -> Principal | None:
        """See `Authenticator`."""
        verified = self._remembered.get(token)
        if verified is None or not verified.begins <= self._now() < verified.ends:
            return None
        self._remembered.move_to_end(token)
        return verified.principal

    async def verify(self, token: str) -> Principal:
        """See `Authenticator`."""
        try:
            verified = self._remembered.get(token) or await self._verified(token)
            verified.check(self._now())
        except TokenError as error:
            self._remembered.pop(token, None)
            raise StatusError(Code.UNAUTHENTICATED, str(error)) from None
        self._remember(token, verified)
        return verified.principal

    async def _verified(self, token: str) -> Verified:
        read = read_token(token, self._expected)
        key = await self._source.find(read.key)
        if key is None:
            raise TokenError("the token is signed with a key that its issuer does not have")
        return read.verified(key, self._expected)

    def _remember(self, token: str, verified: Verified) -> None:
        self._remembered[token] = verified
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
