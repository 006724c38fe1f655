"""The tokens of who is signed in. Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.1."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from contract_client.methods import Method
from contract_client.records import Record

__all__ = ["MemoryTokenStore", "Refresh", "Session", "TokenAnswer", "TokenStore"]

LEEWAY: Final = 30.0
"""Seconds before the end of an access token at which it is renewed."""


class TokenAnswer(Protocol):
    """What a server answers with to who signs in."""

    @property
    def access_token(self) -> str:
        """What goes with each request."""

    @property
    def refresh_token(self) -> str:
        """What new tokens are given for, once."""

    @property
    def expires_in(self) -> int:
        """Seconds until the access token expires."""


@dataclass(frozen=True)
class Session:
    """Tokens, and until when they are good.

    Attributes:
        access_token: what goes with each request.
        refresh_token: what new tokens are given for, once.
        expires_at: when the access token expires, in seconds since 1970.
    """

    access_token: str
    refresh_token: str
    expires_at: float

    @classmethod
    def begun(cls, tokens: TokenAnswer) -> Session:
        """The session that an answer begins, or goes on with."""
        return cls(tokens.access_token, tokens.refresh_token, time.time() + tokens.expires_in)

    @property
    def is_stale(self) -> bool:
        """Whether the access token is to be renewed before it is used."""
        return time.time() >= self.expires_at - LEEWAY


class TokenStore(Protocol):
    """Where a client keeps its session. Implement it to keep sessions longer than a process."""

    def load(self) -> Session | None:
        """The session; None when nobody is signed in."""

    def save(self, session: Session | None) -> None:
        """Keep a session, or forget the one that was kept."""


class MemoryTokenStore:
    """Keeps a session as long as the process lives."""

    def __init__(self) -> None:
        self._session: Session | None = None

    def load(self) -> Session | None:
        """The session; None when nobody is signed in."""
        return self._session

    def save(self, session: Session | None) -> None:
        """Keep a session, or forget the one that was kept."""
        self._session = session


@dataclass(frozen=True)
class Refresh:
    """How new tokens are asked for.

    Attributes:
        method: what is called. It is called without a token, and never twice with one of them.
        request: makes its request of a refresh token.
    """

    method: Method[Any]
    request: Callable[[str], Record]
