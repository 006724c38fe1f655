"""Fills the plain shop's database."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from sqlmodel import Session, SQLModel, create_engine, insert

from benchmarks.plain_shop.models import Item
from benchmarks.routes.catalogue import CURRENCY, CatalogueItem

CHUNK: Final = 5_000


def load(url: str, items: Iterable[CatalogueItem]) -> None:
    """Create the tables and add items."""
    engine = create_engine(url)
    SQLModel.metadata.create_all(engine)
    remaining = iter(items)
    with Session(engine) as session:
        while chunk := list(islice(remaining, CHUNK)):
            session.execute(insert(Item), [_values(item) for item in chunk])
        session.commit()
    engine.dispose()


def _values(item: CatalogueItem) -> dict[str, str | int]:
    return {
        **item._asdict(),
        "category": f"CATEGORY_{item.category.upper()}",
        "currency_code": CURRENCY,
    }
