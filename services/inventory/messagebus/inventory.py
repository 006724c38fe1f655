"""Answers other services that look items up or hold stock."""

from __future__ import annotations

from typing import Final

from seam.persistence import Database
from services.inventory.domain.reservation import check
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.reservations import ReservationRepository
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    BatchTooLarge,
    BatchTooLargeError,
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
    UnknownItem,
    UnknownItemError,
)

MAXIMUM_BATCH: Final = 1000


class Inventory:
    """Handler of `inventory.v1.Inventory`."""

    def __init__(self, database: Database) -> None:
        """Answer from `database`."""
        self._database = database

    async def batch_get_items(self, request: BatchGetItemsRequest) -> BatchGetItemsResponse:
        """The items with the given SKUs that there are."""
        if len(request.skus) > MAXIMUM_BATCH:
            raise BatchTooLargeError(BatchTooLarge(size=len(request.skus), maximum=MAXIMUM_BATCH))
        skus = tuple(dict.fromkeys(request.skus))
        async with self._database.read() as session:
            found = await ItemRepository(session).stock(skus)
        return BatchGetItemsResponse(items=tuple(found[sku] for sku in skus if sku in found))

    async def reserve_stock(self, request: ReserveStockRequest) -> ReserveStockResponse:
        """Hold stock, all lines or none, once for each reservation id."""
        check(request)
        async with self._database.transaction() as session:
            reservations = ReservationRepository(session)
            if await reservations.add(request.reservation_id):
                known = await ItemRepository(session).stock([line.sku for line in request.lines])
                for line in request.lines:
                    if line.sku not in known:
                        raise UnknownItemError(UnknownItem(sku=line.sku))
                shortages = await reservations.take(request.reservation_id, request.lines)
                if shortages:
                    raise OutOfStockError(OutOfStock(shortages=shortages))
            else:
                held = await reservations.lines(request.reservation_id)
                if held != tuple(sorted(request.lines, key=lambda line: line.sku)):
                    raise ReservationConflictError(
                        ReservationConflict(reservation_id=request.reservation_id)
                    )
        return ReserveStockResponse(reservation_id=request.reservation_id)

    async def release_stock(self, request: ReleaseStockRequest) -> ReleaseStockResponse:
        """Give stock back, once for each reservation."""
        async with self._database.transaction() as session:
            if not await ReservationRepository(session).release(request.reservation_id):
                raise ReservationNotFoundError(
                    ReservationNotFound(reservation_id=request.reservation_id)
                )
        return ReleaseStockResponse()
