"""What tells who a token speaks of."""

from __future__ import annotations

from typing import Final, Protocol

from seam.call.principal import Principal
from seam.contract.errors import Code, StatusError

__all__ = ["NO_ISSUER", "Authenticator"]


class Authenticator(Protocol):
    """Tells who a token speaks of."""

    def known(self, token: str) -> Principal | None:
        """Who it speaks of, if that is known without waiting, and holds at this moment."""
        ...

    async def verify(self, token: str) -> Principal:
        """Who it speaks of.

        Raises:
            StatusError: UNAUTHENTICATED, because the token is refused; UNAVAILABLE, because it
                cannot be verified at present.
        """
        ...


class _NoIssuer:
    """Refuses every token, because nobody is configured to issue them."""

    def known(self, token: str) -> Principal | None:
        """See `Authenticator`."""
        del token
        return None

    async def verify(self, token: str) -> Principal:
        """See `Authenticator`."""
        del token
        raise StatusError(Code.UNAUTHENTICATED, "tokens are not accepted: nobody issues them here")


NO_ISSUER: Final[Authenticator] = _NoIssuer()
