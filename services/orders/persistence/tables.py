"""Tables of orders."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, MetaData, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.events import event_tables
from seam.persistence import Text
from seam.sagas import saga_tables
from services.orders.domain.email_address import MAXIMUM_EMAIL_LENGTH
from services.orders.records.api import OrderState

MAXIMUM_KEY_LENGTH: Final = 255
MAXIMUM_OWNER_LENGTH: Final = 255

_ORDER_ID = Text("order_id", 36, by_code_point=True)
# As long as they may be; how long they are is the business of those who make them.
_CART_ID = Text("cart_id", 64)
_SKU = Text("sku", 255)
_NAME = Text("name", 1_000)


class Table(SQLModel, registry=registry(metadata=MetaData(schema="orders"))):
    """Base of the tables of orders, in their schema."""


class OrderRow(Table, table=True):
    """One order.

    Its owner is the subject of the principal who placed it, "" of one who was not signed in, and
    NULL once the owner has left. A key is the owner's own, see `orders.py`.
    """

    __tablename__ = "placed_order"

    order_id: str = Field(sa_column=Column(_ORDER_ID, primary_key=True))
    idempotency_key: str = Field(
        sa_column=Column(
            Text("idempotency_key", MAXIMUM_KEY_LENGTH + 1 + MAXIMUM_OWNER_LENGTH),
            nullable=False,
            unique=True,
        )
    )
    cart_id: str = Field(sa_column=Column(_CART_ID, nullable=False))
    cart_revision: int = Field(sa_type=BigInteger)
    state: int
    currency_code: str = Field(sa_column=Column(Text("currency_code", 3), nullable=False))
    total: int = Field(sa_type=BigInteger)
    placed_at: int = Field(sa_type=BigInteger)
    was_confirmed: bool = False
    rejection: str | None = Field(sa_column=Column(Text("rejection", 1_000_000)))
    email: str = Field(
        sa_column=Column(
            Text("email", MAXIMUM_EMAIL_LENGTH), nullable=False, server_default=text("''")
        )
    )
    owner: str | None = Field(
        sa_column=Column(
            Text("owner", MAXIMUM_OWNER_LENGTH), nullable=True, server_default=text("''")
        )
    )


class OrderLineRow(Table, table=True):
    """A number of units of one item, as they were sold; prices are in minor units."""

    __tablename__ = "order_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

    order_id: str = Field(
        sa_column=Column(_ORDER_ID, ForeignKey("orders.placed_order.order_id"), primary_key=True)
    )
    position: int = Field(primary_key=True)
    sku: str = Field(sa_column=Column(_SKU, nullable=False))
    name: str = Field(sa_column=Column(_NAME, nullable=False))
    quantity: int
    unit_price: int = Field(sa_type=BigInteger)


# A cart is sold once: what it held at one revision, and one order at a time.
_SOLD = col(OrderRow.state).in_(
    [OrderState.PENDING.value, OrderState.CONFIRMED.value, OrderState.CANCELLING.value]
)
_PENDING = col(OrderRow.state) == OrderState.PENDING.value
Index(
    "cart_is_sold_once",
    col(OrderRow.cart_id),
    col(OrderRow.cart_revision),
    unique=True,
    sqlite_where=_SOLD,
    postgresql_where=_SOLD,
)
Index(
    "cart_has_one_order_at_a_time",
    col(OrderRow.cart_id),
    unique=True,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)

Index("orders_of_cart", col(OrderRow.cart_id))
Index("orders_of_owner", col(OrderRow.owner), col(OrderRow.order_id))

SAGAS: Final = saga_tables(Table.metadata)
event_tables(Table.metadata)
