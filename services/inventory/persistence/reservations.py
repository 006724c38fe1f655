"""Holds stock for reservations and gives it back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import col

from seam.persistence import Command, Query, Session, one_of, text_refusal
from services.inventory.domain.reservation import MAXIMUM_ID_LENGTH
from services.inventory.persistence.tables import ItemRow, ReservationLineRow, ReservationRow
from services.inventory.records.messagebus import Shortage, StockLine


def _line(sku: str, quantity: int) -> StockLine:
    return StockLine(sku=sku, quantity=quantity)


def _stock(sku: str, stock: int) -> tuple[str, int]:
    return sku, stock


_ADD = Command(
    lambda insert: (
        insert(ReservationRow)
        .values(reservation_id=bindparam("reservation_id"), released=False)
        .on_conflict_do_nothing()
    )
)

_REFUSE = Command(
    lambda insert: (
        insert(ReservationRow)
        .values(reservation_id=bindparam("reservation_id"), released=True)
        .on_conflict_do_nothing()
    )
)

_RELEASED = Query(
    select(col(ReservationRow.released)).where(
        col(ReservationRow.reservation_id) == bindparam("reservation_id")
    ),
    bool,
)

_LOCK = Query(
    select(col(ReservationRow.released))
    .where(col(ReservationRow.reservation_id) == bindparam("reservation_id"))
    .with_for_update(),
    bool,
)

_LINES = Query(
    select(col(ReservationLineRow.sku), col(ReservationLineRow.quantity))
    .where(col(ReservationLineRow.reservation_id) == bindparam("reservation_id"))
    .order_by(col(ReservationLineRow.sku)),
    _line,
)

_LOCK_STOCK = Query(
    select(col(ItemRow.sku), col(ItemRow.stock))
    .where(one_of(col(ItemRow.sku), "skus"))
    .order_by(col(ItemRow.sku))
    .with_for_update(),
    _stock,
)

_MOVE_STOCK = Command(
    update(ItemRow)
    .where(col(ItemRow.sku) == bindparam("item"))
    .values(stock=ItemRow.stock + bindparam("units"))
)

_ADD_LINE = Command(insert(ReservationLineRow))

_MARK_RELEASED = Command(
    update(ReservationRow)
    .where(col(ReservationRow.reservation_id) == bindparam("reservation"))
    .values(released=True)
)


class ReservationRepository:
    """Reservations and the stock that they take."""

    def __init__(self, session: Session) -> None:
        """Work in `session`: a transaction, which is undone when stock is short."""
        self._session = session

    async def add(self, reservation_id: str) -> bool:
        """Write a reservation without lines; False when the id was used before.

        Waits for another transaction that writes the same id to end.
        """
        return bool(await self._session.execute(_ADD, reservation_id=reservation_id))

    async def lines(self, reservation_id: str) -> tuple[StockLine, ...] | None:
        """The lines of a reservation in the order of their SKUs; None once it is released."""
        if await self._session.fetch_one(_RELEASED, reservation_id=reservation_id):
            return None
        return await self._lines(reservation_id)

    async def take(self, reservation_id: str, lines: Sequence[StockLine]) -> tuple[Shortage, ...]:
        """Move units from stock to a reservation, or tell what is short and change nothing.

        Args:
            reservation_id: a reservation without lines.
            lines: what to hold. Stock is locked in the order of the SKUs, so that two
                reservations never wait for each other.

        Returns:
            The items that are short, in the order of their SKUs.
        """
        ordered = sorted(lines, key=lambda line: line.sku)
        held = dict(await self._session.fetch_all(_LOCK_STOCK, skus=[line.sku for line in lines]))
        short = tuple(
            Shortage(sku=line.sku, requested=line.quantity, available=held.get(line.sku, 0))
            for line in ordered
            if held.get(line.sku, 0) < line.quantity
        )
        if not short:
            await self._session.execute_many(
                _MOVE_STOCK, [{"item": line.sku, "units": -line.quantity} for line in ordered]
            )
            await self._session.execute_many(
                _ADD_LINE,
                [
                    {
                        "reservation_id": reservation_id,
                        "sku": line.sku,
                        "quantity": line.quantity,
                    }
                    for line in lines
                ],
            )
        return short

    async def release(self, reservation_id: str) -> bool:
        """Give the stock of a reservation back, once.

        Returns:
            False when there is no reservation; from now on there will be none.
        """
        released = await self._session.fetch_one(_LOCK, reservation_id=reservation_id)
        if released is None:
            if text_refusal(reservation_id, MAXIMUM_ID_LENGTH, minimum=1):
                return False
            if await self._session.execute(_REFUSE, reservation_id=reservation_id):
                return False
            # It was made in this moment.
            released = await self._session.fetch_one(_LOCK, reservation_id=reservation_id)
        if not released:
            lines = await self._lines(reservation_id)
            await self._session.execute_many(
                _MOVE_STOCK, [{"item": line.sku, "units": line.quantity} for line in lines]
            )
            await self._session.execute(_MARK_RELEASED, reservation=reservation_id)
        return True

    async def _lines(self, reservation_id: str) -> tuple[StockLine, ...]:
        return tuple(await self._session.fetch_all(_LINES, reservation_id=reservation_id))
