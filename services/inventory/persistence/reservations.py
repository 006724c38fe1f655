"""Holds stock for reservations and gives it back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from seam.persistence import upsert
from services.inventory.persistence.tables import ItemRow, ReservationLineRow, ReservationRow
from services.inventory.records.messagebus import Shortage, StockLine


class ReservationRepository:
    """Reservations and the stock that they take, in one session."""

    def __init__(self, session: AsyncSession) -> None:
        """Work in `session`, which the caller commits or, when stock is short, undoes."""
        self._session = session

    async def add(self, reservation_id: str) -> bool:
        """Write a reservation without lines; False when the id was used before.

        Waits for another transaction that writes the same id to end.
        """
        added = await self._session.execute(
            upsert(self._session, ReservationRow)
            .values(reservation_id=reservation_id, released=False)
            .on_conflict_do_nothing()
        )
        return bool(added.rowcount)  # type: ignore[attr-defined]

    async def lines(self, reservation_id: str) -> tuple[StockLine, ...] | None:
        """The lines of a reservation in the order of their SKUs; None once it is released."""
        released = await self._session.execute(
            select(col(ReservationRow.released)).where(
                col(ReservationRow.reservation_id) == reservation_id
            )
        )
        if released.scalar_one():
            return None
        return await self._lines(reservation_id)

    async def take(self, reservation_id: str, lines: Sequence[StockLine]) -> tuple[Shortage, ...]:
        """Move units from stock to a reservation.

        Args:
            reservation_id: a reservation without lines.
            lines: what to hold. Stock is taken in the order of the SKUs, so that two
                reservations never wait for each other.

        Returns:
            The items that are short. Unless it is empty, the caller must undo the session.
        """
        short: list[Shortage] = []
        for line in sorted(lines, key=lambda line: line.sku):
            taken = await self._session.execute(
                update(ItemRow)
                .where(col(ItemRow.sku) == line.sku, col(ItemRow.stock) >= line.quantity)
                .values(stock=ItemRow.stock - line.quantity)
            )
            if taken.rowcount == 0:  # type: ignore[attr-defined]
                short.append(await self._shortage(line))
        if not short:
            await self._session.execute(
                insert(ReservationLineRow),
                [
                    {
                        "reservation_id": reservation_id,
                        "sku": line.sku,
                        "quantity": line.quantity,
                    }
                    for line in lines
                ],
            )
        return tuple(short)

    async def release(self, reservation_id: str) -> bool:
        """Give the stock of a reservation back, once; False when there is no reservation."""
        rows = await self._session.execute(
            select(col(ReservationRow.released))
            .where(col(ReservationRow.reservation_id) == reservation_id)
            .with_for_update()
        )
        released = rows.scalar_one_or_none()
        if released is None:
            return False
        if not released:
            for line in await self._lines(reservation_id):
                await self._session.execute(
                    update(ItemRow)
                    .where(col(ItemRow.sku) == line.sku)
                    .values(stock=ItemRow.stock + line.quantity)
                )
            await self._session.execute(
                update(ReservationRow)
                .where(col(ReservationRow.reservation_id) == reservation_id)
                .values(released=True)
            )
        return True

    async def _lines(self, reservation_id: str) -> tuple[StockLine, ...]:
        rows = await self._session.execute(
            select(col(ReservationLineRow.sku), col(ReservationLineRow.quantity))
            .where(col(ReservationLineRow.reservation_id) == reservation_id)
            .order_by(col(ReservationLineRow.sku))
        )
        return tuple(StockLine(sku=sku, quantity=quantity) for sku, quantity in rows)

    async def _shortage(self, line: StockLine) -> Shortage:
        rows = await self._session.execute(
            select(col(ItemRow.stock)).where(col(ItemRow.sku) == line.sku)
        )
        available = rows.scalar_one_or_none() or 0
        return Shortage(sku=line.sku, requested=line.quantity, available=available)
