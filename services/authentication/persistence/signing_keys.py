"""Reads and writes keys that sign tokens, as they are stored."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from seam.persistence import Command, Query, Session, one_of
from services.authentication.persistence.tables import SigningKeyRow


class StoredKey(NamedTuple):
    """A key, sealed or not.

    Attributes:
        generation: counts the keys.
        private: the private key, see `signing.sealing`.
        signs_from: when it takes over, in microseconds since the epoch.
    """

    generation: int
    private: str
    signs_from: int


_ALL: Final = Query(
    select(
        col(SigningKeyRow.generation), col(SigningKeyRow.private), col(SigningKeyRow.signs_from)
    ).order_by(col(SigningKeyRow.generation)),
    StoredKey,
)
_ADD: Final = Command(
    lambda insert: (
        insert(SigningKeyRow)
        .values(
            generation=bindparam("generation"),
            private=bindparam("private"),
            signs_from=bindparam("signs_from"),
        )
        .on_conflict_do_nothing()
    )
)
_REMOVE: Final = Command(
    delete(SigningKeyRow).where(one_of(col(SigningKeyRow.generation), "generations"))
)


class SigningKeyRepository:
    """Keys that sign tokens."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def all(self) -> tuple[StoredKey, ...]:
        """All keys, in the order of their generations."""
        return tuple(await self._session.fetch_all(_ALL))

    async def add(self, key: StoredKey) -> bool:
        """Write a new key; False when somebody else was faster to write one of its generation."""
        added = await self._session.execute(
            _ADD, generation=key.generation, private=key.private, signs_from=key.signs_from
        )
        return bool(added)

    async def remove(self, generations: list[int]) -> None:
        """Delete keys."""
        await self._session.execute(_REMOVE, generations=generations)
