"""What the inventory's repositories do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

from contract.v1.money import Money
from sqlalchemy import Connection, insert, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_entities

from benchmarks.repositories.operation import Operation, Statements
from benchmarks.routes.catalogue import CURRENCY, STOCK, CatalogueItem, sku
from seam.persistence import Database
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.reservations import ReservationRepository
from services.inventory.persistence.tables import ItemRow, ReservationLineRow, ReservationRow
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import StockLine

SIZE: Final = 5_000
"""Items of the catalogue."""

PAGE: Final = 50
BATCH: Final = 10
LINES: Final = 3

_ITEM: Final = "sku, name, description, category, currency_code, price_minor_units, stock"

_COLUMNS: Final = (
    col(ItemRow.sku),
    col(ItemRow.name),
    col(ItemRow.description),
    col(ItemRow.category),
    col(ItemRow.currency_code),
    col(ItemRow.price_minor_units),
    col(ItemRow.stock),
)


def record(item: CatalogueItem) -> Item:
    """An item of a benchmark's catalogue as the repository takes it."""
    return Item(
        sku=item.sku,
        name=item.name,
        description=item.description,
        category=Category[item.category.upper()],
        price=Money(currency_code=CURRENCY, minor_units=item.price_minor_units),
        stock=STOCK,
    )


def _one(number: int) -> tuple[str]:
    # A step that is prime to the size visits all items, far from one another.
    return (sku(number * 1_009 % SIZE),)


async def _find(database: Database, key: str) -> object:
    return await ItemRepository(database).find(key)


def _find_sql(key: str) -> Statements:
    return [(f"SELECT {_ITEM} FROM item WHERE sku = $1", (key,))]


def _find_core(connection: Connection, key: str) -> object:
    return connection.execute(select(*_COLUMNS).where(col(ItemRow.sku) == key)).one()


def _find_model(session: Session, key: str) -> object:
    return session.get_one(ItemRow, key)


async def _page(database: Database, after: str) -> object:
    return await ItemRepository(database).page(after, PAGE)


def _page_sql(after: str) -> Statements:
    sql = f"SELECT {_ITEM} FROM item WHERE sku > $1 ORDER BY sku LIMIT $2"
    return [(sql, (after, PAGE))]


def _page_core(connection: Connection, after: str) -> object:
    page = select(*_COLUMNS).where(col(ItemRow.sku) > after)
    return connection.execute(page.order_by(col(ItemRow.sku)).limit(PAGE)).all()


def _page_model(session: Session, after: str) -> object:
    page = select_entities(ItemRow).where(col(ItemRow.sku) > after)
    return session.exec(page.order_by(col(ItemRow.sku)).limit(PAGE)).all()


def _batch(number: int) -> tuple[Sequence[str]]:
    return ([_one(number + step)[0] for step in range(BATCH)],)


async def _stock(database: Database, keys: Sequence[str]) -> object:
    return await ItemRepository(database).stock(keys)


def _stock_sql(keys: Sequence[str]) -> Statements:
    places = ", ".join(f"${place}" for place in range(1, len(keys) + 1))
    sql = "SELECT sku, name, currency_code, price_minor_units, stock FROM item"
    return [(f"{sql} WHERE sku IN ({places})", keys)]


def _stock_core(connection: Connection, keys: Sequence[str]) -> object:
    columns = (*_COLUMNS[:2], *_COLUMNS[4:])
    return connection.execute(select(*columns).where(col(ItemRow.sku).in_(keys))).all()


def _stock_model(session: Session, keys: Sequence[str]) -> object:
    return session.exec(select_entities(ItemRow).where(col(ItemRow.sku).in_(keys))).all()


def _reservation(number: int) -> tuple[str, Sequence[StockLine]]:
    keys = sorted({_one(number + step)[0] for step in range(LINES)})
    return str(uuid.uuid4()), [StockLine(sku=key, quantity=1) for key in keys]


async def _reserve(database: Database, reservation_id: str, lines: Sequence[StockLine]) -> object:
    async with database.transaction() as transaction:
        reservations = ReservationRepository(transaction)
        await reservations.add(reservation_id)
        return await reservations.take(reservation_id, lines)


def _reserve_sql(reservation_id: str, lines: Sequence[StockLine]) -> Statements:
    reservation = (
        "INSERT INTO reservation (reservation_id, released) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    )
    take = "UPDATE item SET stock = stock - $2 WHERE sku = $1 AND stock >= $2"
    line = "INSERT INTO reservation_line (reservation_id, sku, quantity) VALUES ($1, $2, $3)"
    return [
        (reservation, (reservation_id, False)),
        *((take, (each.sku, each.quantity)) for each in lines),
        *((line, (reservation_id, each.sku, each.quantity)) for each in lines),
    ]


def _reserve_core(
    connection: Connection, reservation_id: str, lines: Sequence[StockLine]
) -> object:
    connection.execute(insert(ReservationRow).values(reservation_id=reservation_id, released=False))
    for line in lines:
        connection.execute(
            update(ItemRow)
            .where(col(ItemRow.sku) == line.sku, col(ItemRow.stock) >= line.quantity)
            .values(stock=ItemRow.stock - line.quantity)
        )
    values = [_line_values(reservation_id, line) for line in lines]
    return connection.execute(insert(ReservationLineRow), values)


def _reserve_model(session: Session, reservation_id: str, lines: Sequence[StockLine]) -> None:
    session.add(ReservationRow(reservation_id=reservation_id))
    session.flush()
    for line in lines:
        item = session.get_one(ItemRow, line.sku, with_for_update=True)
        item.stock -= line.quantity
        session.add(ReservationLineRow(**_line_values(reservation_id, line)))
    session.flush()


def _line_values(reservation_id: str, line: StockLine) -> dict[str, Any]:
    return {"reservation_id": reservation_id, "sku": line.sku, "quantity": line.quantity}


OPERATIONS: Final = (
    Operation("item", False, _one, _find, _find_sql, _find_core, _find_model),
    Operation("page of 50 items", False, _one, _page, _page_sql, _page_core, _page_model),
    Operation("stock of 10 items", False, _batch, _stock, _stock_sql, _stock_core, _stock_model),
    Operation(
        "reserve 3 items", True, _reservation, _reserve, _reserve_sql, _reserve_core, _reserve_model
    ),
)
