"""Tables of chats."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.events import event_tables
from seam.persistence import Text
from services.customer_chat.domain.chat_id import LENGTH
from services.customer_chat.domain.message import MAXIMUM_MESSAGE_ID_LENGTH, MAXIMUM_TEXT_LENGTH
from services.customer_chat.records.api import ChatState

MAXIMUM_SUBJECT_LENGTH: Final = 255
"""Source: https://openid.net/specs/openid-connect-core-1_0.html#IDToken, `sub`."""

_CHAT_ID = Text("chat_id", LENGTH, by_code_point=True)


class Table(SQLModel, registry=registry(metadata=MetaData(schema="customer_chat"))):
    """Base of the tables of chats, in their schema."""


class ChatRow(Table, table=True):
    """One chat; times are in microseconds since the epoch."""

    __tablename__ = "chat"

    chat_id: str = Field(sa_column=Column(_CHAT_ID, primary_key=True))
    owner: str = Field(sa_column=Column(Text("owner", MAXIMUM_SUBJECT_LENGTH), nullable=False))
    state: int
    opened_at: int = Field(sa_type=BigInteger)
    last_position: int = Field(sa_type=BigInteger)


class EntryRow(Table, table=True):
    """Something that has happened in a chat."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("chat_id", "author", "message_id", name="message_is_said_once"),
    )

    chat_id: str = Field(
        sa_column=Column(_CHAT_ID, ForeignKey("customer_chat.chat.chat_id"), primary_key=True)
    )
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: int
    participant: int
    author: str = Field(sa_column=Column(Text("author", MAXIMUM_SUBJECT_LENGTH), nullable=False))
    at: int = Field(sa_type=BigInteger)
    # NULL where nothing was said: those are equal to nothing.
    message_id: str | None = Field(
        sa_column=Column(Text("message_id", MAXIMUM_MESSAGE_ID_LENGTH), nullable=True)
    )
    text: str = Field(sa_column=Column(Text("text", MAXIMUM_TEXT_LENGTH), nullable=False))


Index("chats_of_owner", col(ChatRow.owner))

_WAITING = col(ChatRow.state) == ChatState.WAITING.value
Index(
    "waiting_chats",
    col(ChatRow.chat_id),
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)

event_tables(Table.metadata)
