"""Tables of the shopping cart."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, MetaData, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.events import event_tables
from seam.persistence import Text

_CART_ID = Text("cart_id", 64)
_SKU = Text("sku", 255)
"""As long as it may be; how long those of items are is the inventory's business."""


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shopping_cart"))):
    """Base of the shopping cart's tables, in its schema."""


class CartRow(Table, table=True):
    """One cart. Its owner is the subject of a principal, or "" until somebody is signed in."""

    __tablename__ = "cart"

    cart_id: str = Field(sa_column=Column(_CART_ID, primary_key=True))
    # The version before knows nothing of it, and adds carts.
    revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    orders_taken: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    owner: str = Field(
        sa_column=Column(Text("owner", 255), nullable=False, server_default=text("''"))
    )


class CartItemRow(Table, table=True):
    """How many units of one item a cart holds."""

    __tablename__ = "cart_item"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

    cart_id: str = Field(
        sa_column=Column(_CART_ID, ForeignKey("shopping_cart.cart.cart_id"), primary_key=True)
    )
    sku: str = Field(sa_column=Column(_SKU, primary_key=True))
    quantity: int
    position: int


Index("carts_of_owner", col(CartRow.owner))

event_tables(Table.metadata)
