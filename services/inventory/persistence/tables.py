"""Tables of the inventory."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from seam.events import event_tables
from seam.persistence import Text
from services.inventory.domain.item import (
    MAXIMUM_DESCRIPTION_LENGTH,
    MAXIMUM_NAME_LENGTH,
    MAXIMUM_SKU_LENGTH,
)
from services.inventory.domain.reservation import MAXIMUM_ID_LENGTH
from services.inventory.domain.words import MAXIMUM_WORD_LENGTH

_SKU = Text("sku", MAXIMUM_SKU_LENGTH, by_code_point=True)
_RESERVATION_ID = Text("reservation_id", MAXIMUM_ID_LENGTH)

# SKU, name, description and category; a letter in lower case may be three.
_SEARCH_TEXT_LENGTH: Final = 3 * (
    MAXIMUM_SKU_LENGTH + MAXIMUM_NAME_LENGTH + MAXIMUM_DESCRIPTION_LENGTH + 100
)

# Of one letter, the forms that a search compares may have eighteen.
_WORDS_LENGTH: Final = 20 * _SEARCH_TEXT_LENGTH


class Table(SQLModel, registry=registry(metadata=MetaData(schema="inventory"))):
    """Base of the inventory's tables, in the inventory's schema."""


class ItemRow(Table, table=True):
    """One item of the catalogue."""

    __tablename__ = "item"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock_is_not_negative"),)

    sku: str = Field(sa_column=Column(_SKU, primary_key=True))
    name: str = Field(sa_column=Column(Text("name", MAXIMUM_NAME_LENGTH), nullable=False))
    description: str = Field(
        sa_column=Column(Text("description", MAXIMUM_DESCRIPTION_LENGTH), nullable=False)
    )
    category: int
    currency_code: str = Field(sa_column=Column(Text("currency_code", 3), nullable=False))
    price_minor_units: int = Field(sa_type=BigInteger)
    stock: int
    search_text: str = Field(
        sa_column=Column(Text("search_text", _SEARCH_TEXT_LENGTH), nullable=False)
    )
    version: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="1"))


class SearchTextRow(Table, table=True):
    """The words of an item, each between blanks; an item without them is not in the index."""

    __tablename__ = "search_text"

    sku: str = Field(sa_column=Column(_SKU, primary_key=True))
    words: str = Field(sa_column=Column(Text("words", _WORDS_LENGTH), nullable=False))


class SearchWordRow(Table, table=True):
    """One word of an item: what a search begins with.

    There may be more words than an item has now, and never fewer.
    """

    __tablename__ = "search_word"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: str = Field(
        sa_column=Column(Text("word", MAXIMUM_WORD_LENGTH, by_code_point=True), primary_key=True)
    )
    sku: str = Field(sa_column=Column(_SKU, primary_key=True))


class ReservationRow(Table, table=True):
    """Stock that somebody holds, or held until it was released."""

    __tablename__ = "reservation"

    reservation_id: str = Field(sa_column=Column(_RESERVATION_ID, primary_key=True))
    released: bool = False


class ReservationLineRow(Table, table=True):
    """How many units of one item a reservation holds."""

    __tablename__ = "reservation_line"

    reservation_id: str = Field(
        sa_column=Column(
            _RESERVATION_ID,
            ForeignKey("inventory.reservation.reservation_id"),
            primary_key=True,
        )
    )
    sku: str = Field(sa_column=Column(_SKU, primary_key=True))
    quantity: int


event_tables(Table.metadata)
