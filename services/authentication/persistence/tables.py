"""Tables of accounts and sessions. Times are microseconds since the epoch."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.events import event_tables
from seam.persistence import Text
from services.authentication.domain import email_address, role

_USER_ID = Text("user_id", 36)
_SESSION_ID = Text("session_id", 36)
_EMAIL = Text("email", email_address.MAXIMUM_LENGTH)


class Table(SQLModel, registry=registry(metadata=MetaData(schema="authentication"))):
    """Base of the tables of authentication, in their schema."""


class AccountRow(Table, table=True):
    """One account; `email_key` is the same for all ways to write its address."""

    __tablename__ = "account"

    user_id: str = Field(sa_column=Column(_USER_ID, primary_key=True))
    email: str = Field(sa_column=Column(_EMAIL, nullable=False))
    email_key: str = Field(sa_column=Column(_EMAIL, nullable=False, unique=True))
    password_hash: str = Field(sa_column=Column(Text("password_hash", 255), nullable=False))
    registered_at: int = Field(sa_type=BigInteger)


class AccountRoleRow(Table, table=True):
    """Something that an account is trusted with."""

    __tablename__ = "account_role"

    user_id: str = Field(
        sa_column=Column(_USER_ID, ForeignKey("authentication.account.user_id"), primary_key=True)
    )
    role: str = Field(
        sa_column=Column(Text("role", role.MAXIMUM_LENGTH, by_code_point=True), primary_key=True)
    )


class SessionRow(Table, table=True):
    """From a log-in to a log-out, on one device."""

    __tablename__ = "session"

    session_id: str = Field(sa_column=Column(_SESSION_ID, primary_key=True))
    user_id: str = Field(
        sa_column=Column(_USER_ID, ForeignKey("authentication.account.user_id"), nullable=False)
    )
    started_at: int = Field(sa_type=BigInteger)
    refreshed_at: int = Field(sa_type=BigInteger)


class RefreshTokenRow(Table, table=True):
    """A refresh token of a session: the present one, or one that was used."""

    __tablename__ = "refresh_token"

    token_hash: str = Field(sa_column=Column(Text("token_hash", 64), primary_key=True))
    session_id: str = Field(
        sa_column=Column(
            _SESSION_ID, ForeignKey("authentication.session.session_id"), nullable=False
        )
    )
    used: bool = False


class AttemptRow(Table, table=True):
    """Attempts that have failed at one thing; see `domain.back_off`."""

    __tablename__ = "attempt"

    subject: str = Field(sa_column=Column(Text("subject", 100), primary_key=True))
    failed: int
    last: int = Field(sa_type=BigInteger)


class SigningKeyRow(Table, table=True):
    """A key that signs tokens, sealed or not."""

    __tablename__ = "signing_key"

    generation: int = Field(sa_column_kwargs={"autoincrement": False}, primary_key=True)
    private: str = Field(sa_column=Column(Text("private", 200), nullable=False))
    signs_from: int = Field(sa_type=BigInteger)


Index("sessions_of_account", col(SessionRow.user_id))
Index("sessions_by_refreshed_at", col(SessionRow.refreshed_at))
Index("refresh_tokens_of_session", col(RefreshTokenRow.session_id))
Index("attempts_by_last", col(AttemptRow.last))

event_tables(Table.metadata)
