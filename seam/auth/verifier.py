"""Verifies tokens, and remembers those that were verified."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from seam.auth.key_source import KeySource
from seam.auth.tokens import Expected, TokenError, Verified, read_token
from seam.call.principal import Principal
from seam.contract.errors import Code, StatusError

__all__ = ["TokenVerifier"]

REMEMBERED: Final = 4_096
"""Verified tokens of a generation; of two, the last used ones and some more are remembered."""


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
        # Two generations: when the younger one is full it becomes the older one, and what is not
        # asked for again by then is forgotten. So a look-up, which every call makes, moves nothing.
        self._younger: dict[str, Verified] = {}
        self._older: dict[str, Verified] = {}
        # What a withdrawn key has signed is good no more.
        source.on_change = self._forget

    def known(self, token: str) -> Principal | None:
        """See `Authenticator`."""
        # Every request asks this, and every call: what is found at once is answered at once.
        verified = self._younger.get(token)
        if verified is None and (verified := self._recalled(token)) is None:
            return None
        return verified.principal if verified.begins <= self._now() < verified.ends else None

    async def verify(self, token: str) -> Principal:
        """See `Authenticator`."""
        try:
            verified = (
                self._younger.get(token) or self._recalled(token) or await self._verified(token)
            )
            verified.check(self._now())
        except TokenError as error:
            self._younger.pop(token, None)
            raise StatusError(Code.UNAUTHENTICATED, str(error)) from None
        self._remember(token, verified)
        return verified.principal

    async def _verified(self, token: str) -> Verified:
        read = read_token(token, self._expected)
        key = await self._source.find(read.key)
        if key is None:
            raise TokenError("the token is signed with a key that its issuer does not have")
        return read.verified(key, self._expected)

    def _recalled(self, token: str) -> Verified | None:
        """What the older generation knows of a token, which belongs to the younger one again."""
        verified = self._older.pop(token, None)
        if verified is not None:
            self._remember(token, verified)
        return verified

    def _forget(self) -> None:
        self._younger.clear()
        self._older.clear()

    def _remember(self, token: str, verified: Verified) -> None:
        if len(self._younger) >= REMEMBERED:
            self._older, self._younger = self._younger, {}
        self._younger[token] = verified
