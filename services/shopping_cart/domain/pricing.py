"""What a cart looks like with the names, prices and stock of this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract.v1.money import Money

from services.inventory.records.messagebus import StockItem
from services.shopping_cart.records.api import Availability, Cart, CartLine
from services.shopping_cart.records.messagebus import CartContents, CartItem


def priced(contents: CartContents, items: Mapping[str, StockItem]) -> Cart:
    """Make the cart that a client sees.

    Args:
        contents: what the cart holds.
        items: what inventory knows of its items, by SKU; one that is missing is not sold.

    Raises:
        ValueError: prices are in several currencies, against inventory's contract.
    """
    lines = tuple(_line(item, items.get(item.sku)) for item in contents.items)
    totals = [line.line_total for line in lines if line.line_total is not None]
    return Cart(cart_id=contents.cart_id, lines=lines, total=_sum(totals))


def _line(item: CartItem, stock: StockItem | None) -> CartLine:
    if stock is None:
        return CartLine(
            sku=item.sku,
            quantity=item.quantity,
            name="",
            availability=Availability.DISCONTINUED,
            available=0,
        )
    return CartLine(
        sku=item.sku,
        quantity=item.quantity,
        name=stock.name,
        unit_price=stock.price,
        line_total=Money(
            currency_code=stock.price.currency_code,
            minor_units=stock.price.minor_units * item.quantity,
        ),
        availability=_availability(item.quantity, stock.available),
        available=stock.available,
    )


def _availability(quantity: int, available: int) -> Availability:
    if available >= quantity:
        return Availability.IN_STOCK
    return Availability.TOO_FEW if available > 0 else Availability.OUT_OF_STOCK


def _sum(amounts: Sequence[Money]) -> Money | None:
    if not amounts:
        return None
    currencies = {amount.currency_code for amount in amounts}
    if len(currencies) > 1:
        raise ValueError(f"prices in several currencies: {', '.join(sorted(currencies))}")
    return Money(
        currency_code=amounts[0].currency_code,
        minor_units=sum(amount.minor_units for amount in amounts),
    )
