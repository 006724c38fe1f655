"""Answers other services that look items up, hold stock or read the catalogue."""

from __future__ import annotations

from collections.abc import Container, Sequence

from seam.persistence import Database
from services.inventory.domain.reservation import check
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.reservations import ReservationRepository
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    ExportItemsRequest,
    ExportItemsResponse,
    OutOfStock,
    OutOfStockError,
    ReleaseStockRequest,
    ReleaseStockResponse,
    ReservationConflict,
    ReservationConflictError,
    ReservationNotFound,
    ReservationNotFoundError,
    ReserveStockRequest,
    ReserveStockResponse,
    Shortage,
    UnknownItem,
    UnknownItemError,
)


class Inventory:
    """Handler of `inventory.v1.Inventory`."""

    def __init__(self, database: Database) -> None:
        """Answer from `database`."""
        self._database = database
        self._items = ItemRepository(database)

    async def batch_get_items(self, request: BatchGetItemsRequest) -> BatchGetItemsResponse:
        """The items with the given SKUs that there are."""
        skus = tuple(dict.fromkeys(request.skus))
        found = await self._items.stock(skus)
        return BatchGetItemsResponse(items=tuple(found[sku] for sku in skus if sku in found))

    async def export_items(self, request: ExportItemsRequest) -> ExportItemsResponse:
        """A part of the catalogue, in the order of the SKUs."""
        items = await self._items.export(request.after_sku, request.page_size)
        return ExportItemsResponse(items=items)

    async def reserve_stock(self, request: ReserveStockRequest) -> ReserveStockResponse:
        """Hold stock, all lines or none, once for each reservation id."""
        check(request)
        async with self._database.transaction() as transaction:
            reservations = ReservationRepository(transaction)
            if await reservations.add(request.reservation_id):
                shortages = await reservations.take(request.reservation_id, request.lines)
                if shortages:
                    known = await ItemRepository(transaction).stock([s.sku for s in shortages])
                    raise _refusal(request, shortages, known)
            else:
                held = await reservations.lines(request.reservation_id)
                if held != tuple(sorted(request.lines, key=lambda line: line.sku)):
                    raise ReservationConflictError(
                        ReservationConflict(reservation_id=request.reservation_id)
                    )
        return ReserveStockResponse(reservation_id=request.reservation_id)

    async def release_stock(self, request: ReleaseStockRequest) -> ReleaseStockResponse:
        """Give stock back, once for each reservation."""
        async with self._database.transaction() as transaction:
            found = await ReservationRepository(transaction).release(request.reservation_id)
        if not found:
            raise ReservationNotFoundError(
                ReservationNotFound(reservation_id=request.reservation_id)
            )
        return ReleaseStockResponse()


def _refusal(
    request: ReserveStockRequest, shortages: Sequence[Shortage], known: Container[str]
) -> Exception:
    """Why stock is short: the first item that is not known, if there is one."""
    unknown = {shortage.sku for shortage in shortages if shortage.sku not in known}
    for line in request.lines:
        if line.sku in unknown:
            return UnknownItemError(UnknownItem(sku=line.sku))
    return OutOfStockError(OutOfStock(shortages=tuple(shortages)))
