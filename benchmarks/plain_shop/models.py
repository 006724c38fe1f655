"""Tables, and what clients read."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel
from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Item(SQLModel, table=True):
    """An item of the catalogue."""

    sku: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=200)
    description: str = Field(max_length=4000)
    category: str
    currency_code: str = Field(max_length=3)
    price_minor_units: int = Field(sa_type=BigInteger)
    stock: int


class Cart(SQLModel, table=True):
    """A cart."""

    cart_id: str = Field(primary_key=True, max_length=64)
    owner: str = Field(default="", max_length=64)


class CartItem(SQLModel, table=True):
    """An item in a cart."""

    cart_id: str = Field(primary_key=True, foreign_key="cart.cart_id", max_length=64)
    sku: str = Field(primary_key=True, foreign_key="item.sku", max_length=64)
    quantity: int
    position: int


class Public(SQLModel):
    """What clients read and write: names in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)  # type: ignore[assignment]


class MoneyPublic(Public):
    """An amount of money."""

    currency_code: str
    minor_units: str


class ItemPublic(Public):
    """An item."""

    sku: str
    name: str
    description: str
    category: str
    price: MoneyPublic
    stock: int


class ItemsPublic(Public):
    """A page of items."""

    items: list[ItemPublic]
    next_page_token: str


class Availability(StrEnum):
    """Whether the stock covers what a line holds."""

    IN_STOCK = "AVAILABILITY_IN_STOCK"
    TOO_FEW = "AVAILABILITY_TOO_FEW"
    OUT_OF_STOCK = "AVAILABILITY_OUT_OF_STOCK"


class CartLinePublic(Public):
    """An item in a cart, with its name and price of this moment."""

    sku: str
    quantity: int
    name: str
    unit_price: MoneyPublic
    line_total: MoneyPublic
    availability: Availability
    available: int


class CartPublic(Public):
    """A cart."""

    cart_id: str
    lines: list[CartLinePublic]
    total: MoneyPublic | None = None


class Quantity(Public):
    """How many units of an item a cart is to hold."""

    quantity: int = Field(ge=0, le=999)
