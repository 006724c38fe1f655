"""Tables of the notifications."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.events import event_tables
from seam.persistence import Text

_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up a column of this type alone."""

# As long as they may be; how long they are is the business of those who make them.
_BODY: Final = 2_000_000


class Table(SQLModel, registry=registry(metadata=MetaData(schema="notifications"))):
    """Base of the tables of the notifications, in their schema."""


class MailRow(Table, table=True):
    """A mail, and what became of it.

    Attributes:
        number: in the order in which they were written.
        mail_id: what it is about, such as `order-confirmed.ORDER`: there is one mail of each.
        user_id: whose it is, if that is somebody with an account.
        recipient: the address.
        state: see `MailState`.
        attempts: how often it was tried.
        lease: grows with whoever takes it to send it, so that of two only one can say how it ended.
        due_at: when it is tried next, or until when it is left to who has it, in microseconds since
            the epoch.
        written_at: when it was written, in microseconds since the epoch.
        reason: why it was not sent, when it was last tried.
    """

    __tablename__ = "mail"

    number: int = Field(sa_column=Column(_NUMBER, primary_key=True, autoincrement=True))
    mail_id: str = Field(sa_column=Column(Text("mail_id", 255), nullable=False, unique=True))
    user_id: str | None = Field(sa_column=Column(Text("user_id", 255), nullable=True))
    recipient: str = Field(sa_column=Column(Text("recipient", 320), nullable=False))
    subject: str = Field(sa_column=Column(Text("subject", 1_000), nullable=False))
    text: str = Field(sa_column=Column(Text("text", _BODY), nullable=False))
    html: str = Field(sa_column=Column(Text("html", _BODY), nullable=False))
    state: str = Field(sa_column=Column(Text("state", 20), nullable=False))
    attempts: int
    lease: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    written_at: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_column=Column(Text("reason", 1_000), nullable=False))


Index("mail_due", col(MailRow.state), col(MailRow.due_at))
Index("mail_of_user", col(MailRow.user_id))

event_tables(Table.metadata)
