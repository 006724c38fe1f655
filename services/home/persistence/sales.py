"""Counts what is sold, and tells what sells best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import bindparam, select
from sqlmodel import col

from seam.persistence import Command, Query, Session
from services.home.persistence.tables import ItemSalesRow


def _sku(sku: str) -> str:
    return sku


_ADD: Final = Command(
    lambda insert: (
        insert(ItemSalesRow)
        .values(sku=bindparam("sku"), units=bindparam("units"))
        .on_conflict_do_update(
            index_elements=["sku"],
            set_={"units": col(ItemSalesRow.units) + bindparam("more")},
        )
    )
)
_BEST: Final = Query(
    select(col(ItemSalesRow.sku))
    .order_by(col(ItemSalesRow.units).desc(), col(ItemSalesRow.sku).desc())
    .limit(bindparam("most")),
    _sku,
)


class SalesRepository:
    """The units that were sold of each item."""

    def __init__(self, session: Session) -> None:
        """Work with a database, or within a transaction."""
        self._session = session

    async def add(self, sold: Mapping[str, int]) -> None:
        """Count units by SKU."""
        # In one order, so that two of these never wait for each other.
        rows = [{"sku": sku, "units": sold[sku], "more": sold[sku]} for sku in sorted(sold)]
        await self._session.execute_many(_ADD, rows)

    async def best(self, most: int) -> list[str]:
        """The SKUs of which most units were sold, the best first."""
        return await self._session.fetch_all(_BEST, most=most)
