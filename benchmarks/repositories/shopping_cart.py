"""What the shopping cart's repository does."""

from __future__ import annotations

import uuid
from itertools import count
from typing import Final

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col
from sqlmodel import select as select_entities

from benchmarks.repositories.operation import Operation, Statements
from benchmarks.routes.catalogue import sku
from seam.persistence import Database
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.persistence.tables import CartItemRow, CartRow

CARTS: Final = 500
LINES: Final = 3

_QUANTITIES: Final = count()


def cart_id(number: int) -> str:
    """The id of a cart that is there."""
    return f"00000000-0000-4000-8000-{number:012}"


async def fill(database: Database) -> None:
    """Write the carts that are read and changed."""
    async with database.transaction() as transaction:
        carts = CartRepository(transaction)
        for number in range(CARTS):
            await carts.add(cart_id(number))
            for line in range(LINES):
                await carts.set_quantity(cart_id(number), sku(line), 1)


def _some(number: int) -> tuple[str]:
    return (cart_id(number * 101 % CARTS),)


def _line(number: int) -> tuple[str, str, int]:
    # SQLite writes nothing for a value that is there already.
    return *_some(number), sku(number % LINES), next(_QUANTITIES) % 999 + 1


def _new(_: int) -> tuple[str]:
    return (str(uuid.uuid4()),)


async def _find(database: Database, cart: str) -> object:
    return await CartRepository(database).find(cart)


def _find_sql(cart: str) -> Statements:
    return [
        (
            "SELECT cart_item.sku, cart_item.quantity FROM cart "
            "LEFT JOIN cart_item ON cart_item.cart_id = cart.cart_id "
            "WHERE cart.cart_id = $1 AND (cart.owner = '' OR cart.owner = $2) "
            "ORDER BY cart_item.position, cart_item.sku",
            (cart, ""),
        )
    ]


def _find_core(connection: Connection, cart: str) -> object:
    return connection.execute(
        select(col(CartItemRow.sku), col(CartItemRow.quantity))
        .select_from(CartRow)
        .outerjoin(CartItemRow, col(CartItemRow.cart_id) == col(CartRow.cart_id))
        .where(col(CartRow.cart_id) == cart, col(CartRow.owner) == "")
        .order_by(col(CartItemRow.position), col(CartItemRow.sku))
    ).all()


def _find_model(session: Session, cart: str) -> object:
    session.get_one(CartRow, cart)
    lines = select_entities(CartItemRow).where(col(CartItemRow.cart_id) == cart)
    return session.exec(lines.order_by(col(CartItemRow.position))).all()


async def _add(database: Database, cart: str) -> None:
    await CartRepository(database).add(cart)


def _add_sql(cart: str) -> Statements:
    return [("INSERT INTO cart (cart_id) VALUES ($1)", (cart,))]


def _add_core(connection: Connection, cart: str) -> object:
    return connection.execute(insert(CartRow).values(cart_id=cart))


def _add_model(session: Session, cart: str) -> None:
    session.add(CartRow(cart_id=cart, revision=0, orders_taken=0, owner=""))


async def _set(database: Database, cart: str, item: str, quantity: int) -> None:
    async with database.transaction() as transaction:
        carts = CartRepository(transaction)
        await carts.begin_change(cart)
        await carts.set_quantity(cart, item, quantity)


def _set_sql(cart: str, item: str, quantity: int) -> Statements:
    return [
        *_find_sql(cart),
        (
            "INSERT INTO cart_item (cart_id, sku, quantity, position) VALUES ($1, $2, $3, "
            "(SELECT coalesce(max(position), 0) + 1 FROM cart_item WHERE cart_id = $4)) "
            "ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = $3",
            (cart, item, quantity, cart),
        ),
    ]


def _set_core(connection: Connection, cart: str, item: str, quantity: int) -> object:
    _find_core(connection, cart)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    last = select(func.coalesce(func.max(CartItemRow.position), 0)).where(
        col(CartItemRow.cart_id) == cart
    )
    added = dialect.insert(CartItemRow).values(
        cart_id=cart, sku=item, quantity=quantity, position=last.scalar_subquery() + 1
    )
    return connection.execute(
        added.on_conflict_do_update(index_elements=["cart_id", "sku"], set_={"quantity": quantity})
    )


def _set_model(session: Session, cart: str, item: str, quantity: int) -> None:
    _find_model(session, cart)
    line = session.get_one(CartItemRow, (cart, item))
    line.quantity = quantity
    session.add(line)


OPERATIONS: Final = (
    Operation("cart of 3 items", False, _some, _find, _find_sql, _find_core, _find_model),
    Operation("new cart", True, _new, _add, _add_sql, _add_core, _add_model),
    Operation("set a quantity", True, _line, _set, _set_sql, _set_core, _set_model),
)
