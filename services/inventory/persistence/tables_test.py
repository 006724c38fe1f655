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
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.migrations import MIGRATIONS
from services.inventory.persistence.reservations import ReservationRepository
from services.inventory.persistence.search import search
from services.inventory.persistence.search_index import index_missing
from services.inventory.records.messagebus import StockLine

FIRST_VERSION = """
CREATE TABLE {schema}item (
    sku VARCHAR{collation} NOT NULL, name VARCHAR NOT NULL, description VARCHAR NOT NULL,
    category INTEGER NOT NULL, currency_code VARCHAR NOT NULL, price_minor_units BIGINT NOT NULL,
    stock INTEGER NOT NULL, search_text VARCHAR NOT NULL, PRIMARY KEY (sku),
    CONSTRAINT stock_is_not_negative CHECK (stock >= 0)
);
CREATE TABLE {schema}reservation (
    reservation_id VARCHAR NOT NULL, released BOOLEAN NOT NULL, PRIMARY KEY (reservation_id)
);
CREATE TABLE {schema}reservation_line (
    reservation_id VARCHAR NOT NULL, sku VARCHAR{collation} NOT NULL, quantity INTEGER NOT NULL,
    PRIMARY KEY (reservation_id, sku),
    FOREIGN KEY (reservation_id) REFERENCES {schema}reservation (reservation_id)
);
INSERT INTO {schema}item VALUES ('MUG', 'Mug', '', 2, 'EUR', 990, 7, 'mug mug  kitchen');
INSERT INTO {schema}reservation VALUES ('r', FALSE);
INSERT INTO {schema}reservation_line VALUES ('r', 'MUG', 3);
"""


async def check(database: Database) -> None:
    assert await index_missing(database) == 1
    assert [item.stock for item in await search(database, ["kitchen"], "", 9)] == [7]
    async with database.transaction() as transaction:
        items, reservations = ItemRepository(transaction), ReservationRepository(transaction)
        assert await reservations.lines("r") == (StockLine(sku="MUG", quantity=3),)
        assert await reservations.release("r")
        mug = await items.find("MUG")
        assert mug is not None
        assert mug.stock == 10
        await items.put([mug])


async def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "inventory.db")) as connection:
        connection.executescript(FIRST_VERSION.format(schema="", collation=""))
    url = f"sqlite:///{tmp_path}/inventory.db"
    async with open_migrated(url, MIGRATIONS, embedded=True) as database:
        await check(database)


async def test_a_schema_of_the_first_version_is_taken_over(postgres_server: Any) -> None:
    script = FIRST_VERSION.format(schema="inventory.", collation=' COLLATE "C"')
    postgres_server.psql(f"CREATE SCHEMA inventory; {script}")
    try:
        url = make_url(postgres_server.get_uri()).render_as_string(hide_password=False)
        await asyncio.to_thread(upgrade, url, MIGRATIONS)
        async with open_migrated(url, MIGRATIONS, embedded=False) as database:
            await check(database)
    finally:
        postgres_server.psql("DROP SCHEMA inventory CASCADE;")
