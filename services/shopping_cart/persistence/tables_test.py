"""Tables that were made before there were revisions are taken over with all that they hold."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from seam.persistence import Database
from seam.persistence.migrations import open_migrated
from seam.persistence.migrations.steps import upgrade
from services.shopping_cart.persistence.carts import CartRepository
from services.shopping_cart.persistence.migrations import MIGRATIONS
from services.shopping_cart.records.messagebus import CartContents, CartItem

FIRST_VERSION = """
CREATE TABLE {schema}cart (cart_id VARCHAR NOT NULL, PRIMARY KEY (cart_id));
CREATE TABLE {schema}cart_item (
    cart_id VARCHAR NOT NULL, sku VARCHAR NOT NULL, quantity INTEGER NOT NULL,
    position INTEGER NOT NULL, PRIMARY KEY (cart_id, sku),
    CONSTRAINT quantity_is_positive CHECK (quantity > 0),
    FOREIGN KEY (cart_id) REFERENCES {schema}cart (cart_id)
);
INSERT INTO {schema}cart (cart_id) VALUES ('mine');
INSERT INTO {schema}cart_item VALUES ('mine', 'B', 2, 1), ('mine', 'A', 1, 2);
"""


async def check(database: Database) -> None:
    async with database.transaction() as transaction:
        carts = CartRepository(transaction)
        await carts.set_quantity("mine", "C", 3)
        await carts.set_quantity("mine", "B", 9)
        items = tuple(
            CartItem(sku=sku, quantity=quantity) for sku, quantity in (("B", 9), ("A", 1), ("C", 3))
        )
        assert await carts.begin_change("mine") == CartContents(
            cart_id="mine", items=items, revision=1, orders_taken=0
        )


async def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shopping_cart.db")) as connection:
        connection.executescript(FIRST_VERSION.format(schema=""))
    url = f"sqlite:///{tmp_path}/shopping_cart.db"
    async with open_migrated(url, MIGRATIONS, embedded=True) as database:
        await check(database)


async def test_a_schema_of_the_first_version_is_taken_over(postgres_server: Any) -> None:
    script = FIRST_VERSION.format(schema="shopping_cart.")
    postgres_server.psql(f"CREATE SCHEMA shopping_cart; {script}")
    try:
        url = make_url(postgres_server.get_uri()).render_as_string(hide_password=False)
        await asyncio.to_thread(upgrade, url, MIGRATIONS)
        async with open_migrated(url, MIGRATIONS, embedded=False) as database:
            await check(database)
    finally:
        postgres_server.psql("DROP SCHEMA shopping_cart CASCADE;")
