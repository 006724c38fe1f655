"""Tables of home."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.events import event_tables
from seam.persistence import Text


class Table(SQLModel, registry=registry(metadata=MetaData(schema="home"))):
    """Base of home's tables, in its schema."""


class ItemSalesRow(Table, table=True):
    """How many units of one item were sold."""

    __tablename__ = "item_sales"

    sku: str = Field(sa_column=Column(Text("sku", 255), primary_key=True))
    units: int = Field(sa_column=Column(BigInteger, nullable=False))


Index("item_sales_units", col(ItemSalesRow.units), col(ItemSalesRow.sku))

event_tables(Table.metadata)
