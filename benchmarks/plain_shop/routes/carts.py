"""Filling a cart."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, HTTPException
from sqlmodel import Session, col, func, select

from benchmarks.plain_shop.database import SessionDep
from benchmarks.plain_shop.models import (
    Availability,
    Cart,
    CartItem,
    CartLinePublic,
    CartPublic,
    Item,
    MoneyPublic,
    Quantity,
)
from benchmarks.plain_shop.security import CurrentUser

router = APIRouter(prefix="/v1/carts", tags=["carts"])


@router.post("", response_model=CartPublic, response_model_exclude_none=True)
def create_cart(session: SessionDep, user: CurrentUser) -> CartPublic:
    """A new, empty cart."""
    cart = Cart(cart_id=str(uuid.uuid4()), owner=user)
    session.add(cart)
    session.commit()
    session.refresh(cart)
    return CartPublic(cart_id=cart.cart_id, lines=[])


@router.get("/{cart_id}", response_model=CartPublic, response_model_exclude_none=True)
def get_cart(cart_id: str, session: SessionDep, user: CurrentUser) -> CartPublic:
    """A cart with the names and prices of this moment."""
    check_cart(cart_id, session, user)
    return cart_public(cart_id, session)


@router.put("/{cart_id}/items/{sku}", response_model=CartPublic, response_model_exclude_none=True)
def set_item_quantity(
    cart_id: str, sku: str, body: Quantity, session: SessionDep, user: CurrentUser
) -> CartPublic:
    """The cart with so many units of the item, if the stock covers them."""
    check_cart(cart_id, session, user)
    item = session.get(Item, sku)
    if item is None:
        raise HTTPException(status_code=404, detail=f"There is no item with the SKU '{sku}'.")
    if item.stock < body.quantity:
        raise HTTPException(
            status_code=409,
            detail=f"{body.quantity} of '{sku}' were asked for and {item.stock} are in stock.",
        )
    line = session.get(CartItem, (cart_id, sku))
    if line is not None and body.quantity == 0:
        session.delete(line)
    elif line is not None:
        line.quantity = body.quantity
        session.add(line)
    elif body.quantity > 0:
        last = session.exec(
            select(func.coalesce(func.max(CartItem.position), 0)).where(CartItem.cart_id == cart_id)
        ).one()
        session.add(CartItem(cart_id=cart_id, sku=sku, quantity=body.quantity, position=last + 1))
    session.commit()
    return cart_public(cart_id, session)


def check_cart(cart_id: str, session: Session, user: str) -> None:
    """Refuse a cart that is not there, or somebody else's."""
    cart = session.get(Cart, cart_id)
    if cart is None or cart.owner != user:
        raise HTTPException(status_code=404, detail=f"There is no cart '{cart_id}'.")


def cart_public(cart_id: str, session: Session) -> CartPublic:
    """What clients read of a cart."""
    statement = (
        select(CartItem, Item)
        .join(Item, col(Item.sku) == col(CartItem.sku))
        .where(CartItem.cart_id == cart_id)
        .order_by(col(CartItem.position))
    )
    lines = []
    total = 0
    currency_code = ""
    for line, item in session.exec(statement):
        line_total = item.price_minor_units * line.quantity
        total += line_total
        currency_code = item.currency_code
        lines.append(
            CartLinePublic(
                sku=line.sku,
                quantity=line.quantity,
                name=item.name,
                unit_price=_money(currency_code, item.price_minor_units),
                line_total=_money(currency_code, line_total),
                availability=_availability(line.quantity, item.stock),
                available=item.stock,
            )
        )
    return CartPublic(
        cart_id=cart_id, lines=lines, total=_money(currency_code, total) if lines else None
    )


def _money(currency_code: str, minor_units: int) -> MoneyPublic:
    return MoneyPublic(currency_code=currency_code, minor_units=str(minor_units))


def _availability(quantity: int, stock: int) -> Availability:
    if stock >= quantity:
        return Availability.IN_STOCK
    return Availability.TOO_FEW if stock > 0 else Availability.OUT_OF_STOCK
