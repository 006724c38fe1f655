"""Tables of the inventory."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData, String
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_SKU = String().with_variant(postgresql.VARCHAR(collation="C"), "postgresql")
"""Ordered by code points, as in Python and SQLite, whatever the database's language is."""


class Table(SQLModel, registry=registry(metadata=MetaData(schema="inventory"))):
    """Base of the inventory's tables, in the inventory's schema."""


class ItemRow(Table, table=True):
    """One item of the catalogue."""

    __tablename__ = "item"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock_is_not_negative"),)

    sku: str = Field(sa_column=Column(_SKU, primary_key=True))
    name: str
    description: str
    category: int
    currency_code: str
    price_minor_units: int = Field(sa_type=BigInteger)
    stock: int
    search_text: str


class ReservationRow(Table, table=True):
    """Stock that somebody holds, or held until it was released."""

    __tablename__ = "reservation"

    reservation_id: str = Field(primary_key=True)
    released: bool = False


class ReservationLineRow(Table, table=True):
    """How many units of one item a reservation holds."""

    __tablename__ = "reservation_line"

    reservation_id: str = Field(
        primary_key=True, foreign_key="inventory.reservation.reservation_id"
    )
    sku: str = Field(sa_column=Column(_SKU, primary_key=True))
    quantity: int
