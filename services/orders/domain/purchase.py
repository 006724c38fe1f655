"""What an order buys: the items and quantities of a cart at the prices of one moment."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from services.inventory.records.messagebus import StockItem
from services.shopping_cart.records.messagebus import CartContents


class PurchaseLine(msgspec.Struct, frozen=True):
    """A number of units of one item.

    Attributes:
        sku: the item's SKU.
        name: what it was called.
        quantity: how many units.
        unit_price: what one cost, in minor units of the purchase's currency.
    """

    sku: str
    name: str
    quantity: int
    unit_price: int

    @property
    def total(self) -> int:
        """What all units cost, in minor units."""
        return self.quantity * self.unit_price


class Purchase(msgspec.Struct, frozen=True):
    """What a checkout works with. It is stored: fields that are added later need a default.

    Attributes:
        order_id: the order that it is for, and the id of its reservation and its payment.
        cart_id: the cart that it was taken from.
        cart_revision: the revision of the cart.
        currency_code: the currency of all prices.
        lines: what is bought, in the order of the cart.
    """

    order_id: str
    cart_id: str
    cart_revision: int
    currency_code: str
    lines: tuple[PurchaseLine, ...]

    @property
    def total(self) -> int:
        """What everything costs, in minor units."""
        return sum(line.total for line in self.lines)


def missing(contents: CartContents, items: Mapping[str, StockItem]) -> tuple[str, ...]:
    """The SKUs of a cart that inventory does not know any more."""
    return tuple(item.sku for item in contents.items if item.sku not in items)


def purchase_of(contents: CartContents, items: Mapping[str, StockItem], order_id: str) -> Purchase:
    """Make the purchase of all that a cart holds.

    Args:
        contents: what the cart holds: at least one item.
        items: what inventory knows of each of them now, by SKU.
        order_id: the order that it is for.

    Raises:
        ValueError: prices are in several currencies, against inventory's contract.
    """
    currencies = {items[item.sku].price.currency_code for item in contents.items}
    if len(currencies) != 1:
        raise ValueError(f"prices in several currencies: {', '.join(sorted(currencies))}")
    return Purchase(
        order_id=order_id,
        cart_id=contents.cart_id,
        cart_revision=contents.revision,
        currency_code=currencies.pop(),
        lines=tuple(
            PurchaseLine(
                sku=item.sku,
                name=items[item.sku].name,
                quantity=item.quantity,
                unit_price=items[item.sku].price.minor_units,
            )
            for item in contents.items
        ),
    )
