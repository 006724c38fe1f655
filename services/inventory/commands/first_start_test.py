from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from seam.persistence import Database, open_database
from services.inventory.commands.first_start import (
    example_catalogue,
    load_on_first_start,
    tell_if_empty,
)
from services.inventory.domain.catalogue_csv import CATEGORIES
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.tables import Table


async def count(database: Database) -> int:
    return await ItemRepository(database).count()


def test_the_catalogue_that_comes_with_the_shop_is_good_and_varied() -> None:
    items = example_catalogue()
    assert len(items) >= 200
    assert [item.sku for item in items] == sorted(item.sku for item in items)
    assert len({item.name for item in items}) == len(items)
    assert len({item.description for item in items}) == len(items)
    assert all(item.description for item in items)
    assert {item.price.currency_code for item in items} == {"EUR"}
    per_category = Counter(item.category for item in items)
    assert per_category.keys() == set(CATEGORIES.values())
    assert min(per_category.values()) >= 20
    assert any(item.stock == 0 for item in items)
    assert any(0 < item.stock <= 3 for item in items)
    assert any(item.stock > 100 for item in items)


def test_the_example_names_what_trips_careless_programs() -> None:
    texts = [item.name + item.description for item in example_catalogue()]
    for mark in 'éßø",':
        assert any(mark in text for text in texts), mark


async def test_the_first_start_loads_the_catalogue(database: Database) -> None:
    await load_on_first_start(database)
    assert await count(database) == len(example_catalogue())


async def test_a_database_that_holds_an_item_is_left_alone(database: Database) -> None:
    only = example_catalogue()[0]
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put([only])
    await load_on_first_start(database)
    assert await count(database) == 1


async def test_an_empty_database_is_told_with_the_command_that_fills_it(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    url = "postgresql://me:sesame@host:5432/shop?password=sesame"
    await tell_if_empty(database, url)
    (line,) = (record.getMessage() for record in caplog.records)
    assert line == (
        "the catalogue in postgresql://me:***@host:5432/shop is empty; fill it with this program's "
        "command: inventory import FILE.csv "
        "--database 'inventory=postgresql://me:***@host:5432/shop'"
    )


async def test_a_database_that_holds_an_item_is_passed_over_in_silence(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put([example_catalogue()[0]])
    await tell_if_empty(database, "postgresql://host/shop")
    assert caplog.records == []


async def test_several_processes_may_start_first_at_the_same_time(database_url: str) -> None:
    async def start() -> None:
        async with open_database(database_url, Table.metadata) as database:
            await load_on_first_start(database)

    await asyncio.gather(*(start() for _ in range(3)))
    async with open_database(database_url, Table.metadata) as database:
        assert await count(database) == len(example_catalogue())


def test_the_example_is_packaged_beside_its_reader() -> None:
    assert Path(__file__).with_name("products.csv").is_file()
