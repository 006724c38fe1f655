"""Reads and writes sessions and their refresh tokens. Who does has locked the account."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlmodel import col

from seam.persistence import Command, Query, Session
from services.authentication.domain.clock import DAY
from services.authentication.domain.lifetimes import REFRESH_TOKEN, SESSION
from services.authentication.persistence.tables import RefreshTokenRow, SessionRow


class PresentedToken(NamedTuple):
    """A refresh token that somebody has shown, and the session that it is of.

    Attributes:
        session_id: the session.
        user_id: whose it is.
        started_at: when it began, in microseconds since the epoch.
        refreshed_at: when it was last given tokens.
        used: whether the token was used before.
    """

    session_id: str
    user_id: str
    started_at: int
    refreshed_at: int
    used: bool

    def is_good(self, now: int) -> bool:
        """Whether it gives new tokens."""
        return (
            not self.used
            and now < self.refreshed_at + REFRESH_TOKEN
            and now < self.started_at + SESSION
        )


_BEGIN: Final = Command(
    insert(SessionRow).values(
        session_id=bindparam("session_id"),
        user_id=bindparam("user_id"),
        started_at=bindparam("now"),
        refreshed_at=bindparam("now"),
    )
)
_ADD_TOKEN: Final = Command(
    insert(RefreshTokenRow).values(
        token_hash=bindparam("token_hash"), session_id=bindparam("session_id"), used=False
    )
)
_PRESENTED: Final = Query(
    select(
        col(SessionRow.session_id),
        col(SessionRow.user_id),
        col(SessionRow.started_at),
        col(SessionRow.refreshed_at),
        col(RefreshTokenRow.used),
    )
    .join(RefreshTokenRow, col(RefreshTokenRow.session_id) == col(SessionRow.session_id))
    .where(col(RefreshTokenRow.token_hash) == bindparam("token_hash")),
    PresentedToken,
)
_USE: Final = Command(
    update(RefreshTokenRow)
    .where(col(RefreshTokenRow.token_hash) == bindparam("of"))
    .values(used=True)
)
_REFRESHED: Final = Command(
    update(SessionRow)
    .where(col(SessionRow.session_id) == bindparam("of"))
    .values(refreshed_at=bindparam("now"))
)
_END_TOKENS: Final = Command(
    delete(RefreshTokenRow).where(col(RefreshTokenRow.session_id) == bindparam("of"))
)
_END: Final = Command(delete(SessionRow).where(col(SessionRow.session_id) == bindparam("of")))
_OF_USER: Final = select(col(SessionRow.session_id)).where(
    col(SessionRow.user_id) == bindparam("of")
)
_END_ALL_TOKENS: Final = Command(
    delete(RefreshTokenRow).where(col(RefreshTokenRow.session_id).in_(_OF_USER))
)
_END_ALL: Final = Command(delete(SessionRow).where(col(SessionRow.user_id) == bindparam("of")))
_IS_OVER: Final = or_(
    col(SessionRow.refreshed_at) < bindparam("refreshed_before"),
    col(SessionRow.started_at) < bindparam("started_before"),
)
_TRIM_TOKENS: Final = Command(
    delete(RefreshTokenRow).where(
        col(RefreshTokenRow.session_id).in_(select(col(SessionRow.session_id)).where(_IS_OVER))
    )
)
_TRIM: Final = Command(delete(SessionRow).where(_IS_OVER))


class SessionRepository:
    """Sessions and their refresh tokens, of which hashes are kept."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a transaction."""
        self._session = session

    async def begin(self, session_id: str, user_id: str, token_hash: str, now: int) -> None:
        """Write a new session with its first refresh token."""
        await self._session.execute(_BEGIN, session_id=session_id, user_id=user_id, now=now)
        await self._session.execute(_ADD_TOKEN, token_hash=token_hash, session_id=session_id)

    async def presented(self, token_hash: str) -> PresentedToken | None:
        """What is known of a refresh token."""
        return await self._session.fetch_one(_PRESENTED, token_hash=token_hash)

    async def rotate(self, used: str, session_id: str, token_hash: str, now: int) -> None:
        """Let a refresh token be used, and another one take its place."""
        await self._session.execute(_USE, of=used)
        await self._session.execute(_ADD_TOKEN, token_hash=token_hash, session_id=session_id)
        await self._session.execute(_REFRESHED, of=session_id, now=now)

    async def end(self, session_id: str) -> None:
        """End a session."""
        await self._session.execute(_END_TOKENS, of=session_id)
        await self._session.execute(_END, of=session_id)

    async def end_all(self, user_id: str) -> None:
        """End all sessions of an account."""
        await self._session.execute(_END_ALL_TOKENS, of=user_id)
        await self._session.execute(_END_ALL, of=user_id)

    async def trim(self, now: int) -> None:
        """Forget sessions that nobody can go on with for a day, so that nobody does meanwhile."""
        over = {
            "refreshed_before": now - REFRESH_TOKEN - DAY,
            "started_before": now - SESSION - DAY,
        }
        await self._session.execute(_TRIM_TOKENS, **over)
        await self._session.execute(_TRIM, **over)
