"""What decides whether a request is within its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from seam.http.rate import Rate


class Refusal(NamedTuple):
    """Why a request is refused.

    Attributes:
        limit: name of the limit.
        rate: what it allows.
        seconds: after which the client may ask again.
    """

    limit: str
    rate: Rate
    seconds: int


class Limiter(Protocol):
    """Counts requests under keys."""

    async def hit(self, key: str) -> Refusal | None:
        """Count a request; says why when it is one too many, and does not count it then."""
        ...


@dataclass(frozen=True, slots=True)
class Limiters:
    """The limits of a process.

    Attributes:
        by_address: counts by addresses of clients; None when there is no such limit.
        by_principal: counts by principals.
    """

    by_address: Limiter | None = None
    by_principal: Limiter | None = None


UNLIMITED: Final = Limiters()
