"""Reads and writes accounts.

Who changes an account or its sessions locks the account first, and so comes before or after
another who does: a session that begins while the password is changed, ends with the others or has
the new password.
"""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, select, update
from sqlmodel import col

from seam.persistence import Command, Query, Session
from services.authentication.domain.email_address import EmailAddress
from services.authentication.persistence.tables import (
    AccountRoleRow,
    AccountRow,
    RefreshTokenRow,
    SessionRow,
)


class Account(msgspec.Struct, frozen=True):
    """An account.

    Attributes:
        user_id: its identity.
        email: its e-mail address, as its owner writes it.
        email_key: the same for all ways to write the address.
        password_hash: the hash of its password.
        registered_at: when it was opened, in microseconds since the epoch.
    """

    user_id: str
    email: str
    email_key: str
    password_hash: str
    registered_at: int


_ACCOUNT: Final = (
    col(AccountRow.user_id),
    col(AccountRow.email),
    col(AccountRow.email_key),
    col(AccountRow.password_hash),
    col(AccountRow.registered_at),
)
_ADD: Final = Command(
    lambda insert: (
        insert(AccountRow)
        .values(
            user_id=bindparam("user_id"),
            email=bindparam("email"),
            email_key=bindparam("email_key"),
            password_hash=bindparam("password_hash"),
            registered_at=bindparam("registered_at"),
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
    )
)
_FIND: Final = Query(select(*_ACCOUNT).where(col(AccountRow.user_id) == bindparam("of")), Account)
_LOCK: Final = Query(
    select(*_ACCOUNT).where(col(AccountRow.user_id) == bindparam("of")).with_for_update(), Account
)
_LOCK_BY_TOKEN: Final = Query(
    select(*_ACCOUNT)
    .join(SessionRow, col(SessionRow.user_id) == col(AccountRow.user_id))
    .join(RefreshTokenRow, col(RefreshTokenRow.session_id) == col(SessionRow.session_id))
    .where(col(RefreshTokenRow.token_hash) == bindparam("token_hash"))
    .with_for_update(of=AccountRow),
    Account,
)
_BY_EMAIL: Final = Query(
    select(*_ACCOUNT).where(col(AccountRow.email_key) == bindparam("key")), Account
)
_SET_PASSWORD: Final = Command(
    update(AccountRow)
    .where(col(AccountRow.user_id) == bindparam("of"))
    .values(password_hash=bindparam("hashed"))
)
_ROLES: Final = Query(
    select(col(AccountRoleRow.role))
    .where(col(AccountRoleRow.user_id) == bindparam("of"))
    .order_by(col(AccountRoleRow.role)),
    str,
)
_GRANT: Final = Command(
    lambda insert: (
        insert(AccountRoleRow)
        .values(user_id=bindparam("user_id"), role=bindparam("role"))
        .on_conflict_do_nothing()
    )
)
_REVOKE: Final = Command(
    delete(AccountRoleRow).where(
        col(AccountRoleRow.user_id) == bindparam("of"),
        col(AccountRoleRow.role) == bindparam("role"),
    )
)
_REMOVE_ROLES: Final = Command(
    delete(AccountRoleRow).where(col(AccountRoleRow.user_id) == bindparam("of"))
)
_REMOVE: Final = Command(delete(AccountRow).where(col(AccountRow.user_id) == bindparam("of")))


class AccountRepository:
    """Accounts and what they are trusted with."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a database, or a transaction."""
        self._session = session

    async def add(
        self, user_id: str, email: EmailAddress, password_hash: str, registered_at: int
    ) -> bool:
        """Write a new account; False when there is one with the address."""
        added = await self._session.execute(
            _ADD,
            user_id=user_id,
            email=email.shown,
            email_key=email.key,
            password_hash=password_hash,
            registered_at=registered_at,
        )
        return bool(added)

    async def find(self, user_id: str) -> Account | None:
        """One account."""
        return await self._session.fetch_one(_FIND, of=user_id)

    async def by_email(self, email: EmailAddress) -> Account | None:
        """The account with an address."""
        return await self._session.fetch_one(_BY_EMAIL, key=email.key)

    async def lock(self, user_id: str) -> Account | None:
        """One account, which nobody else changes before the transaction ends."""
        return await self._session.fetch_one(_LOCK, of=user_id)

    async def lock_by_token(self, token_hash: str) -> Account | None:
        """As `lock`, the account whose session has a refresh token, whether or not it was used."""
        return await self._session.fetch_one(_LOCK_BY_TOKEN, token_hash=token_hash)

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Let an account have another password, or another hash of the same."""
        await self._session.execute(_SET_PASSWORD, of=user_id, hashed=password_hash)

    async def roles(self, user_id: str) -> tuple[str, ...]:
        """What an account is trusted with, in the order of code points."""
        return tuple(await self._session.fetch_all(_ROLES, of=user_id))

    async def grant(self, user_id: str, role: str) -> bool:
        """Trust an account with a role; False when it was already."""
        return bool(await self._session.execute(_GRANT, user_id=user_id, role=role))

    async def revoke(self, user_id: str, role: str) -> bool:
        """Trust an account with a role no longer; False when it was not."""
        return bool(await self._session.execute(_REVOKE, of=user_id, role=role))

    async def remove(self, user_id: str) -> None:
        """Delete an account whose sessions have ended."""
        await self._session.execute(_REMOVE_ROLES, of=user_id)
        await self._session.execute(_REMOVE, of=user_id)
