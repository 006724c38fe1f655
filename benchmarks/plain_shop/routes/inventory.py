"""Browsing the catalogue."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from sqlmodel import col, or_, select

from benchmarks.plain_shop.database import SessionDep
from benchmarks.plain_shop.models import Item, ItemPublic, ItemsPublic, MoneyPublic
from benchmarks.plain_shop.security import get_current_user

# Everybody may browse; a token that is sent has to be a good one.
router = APIRouter(
    prefix="/v1/inventory", tags=["inventory"], dependencies=[Depends(get_current_user)]
)


@router.get("/{sku}", response_model=ItemPublic)
def get_item(sku: str, session: SessionDep) -> ItemPublic:
    """One item."""
    item = session.get(Item, sku)
    if item is None:
        raise HTTPException(status_code=404, detail=f"There is no item with the SKU '{sku}'.")
    return item_public(item)


@router.get("", response_model=ItemsPublic)
def list_items(
    session: SessionDep,
    query: str = "",
    page_size: Annotated[int, Query(alias="pageSize", ge=0, le=200)] = 0,
    page_token: Annotated[str, Query(alias="pageToken")] = "",
) -> ItemsPublic:
    """One page of the items that match."""
    size = page_size or 50
    statement = select(Item).order_by(col(Item.sku)).limit(size + 1)
    if page_token:
        after = base64.urlsafe_b64decode(page_token.encode()).decode()
        statement = statement.where(col(Item.sku) > after)
    for word in query.split():
        statement = statement.where(
            or_(col(Item.name).icontains(word), col(Item.description).icontains(word))
        )
    found = session.exec(statement).all()
    items = found[:size]
    more = len(found) > size
    return ItemsPublic(
        items=[item_public(item) for item in items],
        next_page_token=base64.urlsafe_b64encode(items[-1].sku.encode()).decode() if more else "",
    )


def item_public(item: Item) -> ItemPublic:
    """What clients read of an item."""
    return ItemPublic(
        sku=item.sku,
        name=item.name,
        description=item.description,
        category=item.category,
        price=MoneyPublic(
            currency_code=item.currency_code, minor_units=str(item.price_minor_units)
        ),
        stock=item.stock,
    )
