"""Tables of the shopping cart."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shopping_cart"))):
    """Base of the shopping cart's tables, in its schema."""


class CartRow(Table, table=True):
    """One cart."""

    __tablename__ = "cart"

    cart_id: str = Field(primary_key=True)


class CartItemRow(Table, table=True):
    """How many units of one item a cart holds."""

    __tablename__ = "cart_item"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

    cart_id: str = Field(primary_key=True, foreign_key="shopping_cart.cart.cart_id")
    sku: str = Field(primary_key=True)
    quantity: int
    position: int
