"""Puts a catalogue into the database while others reserve stock of it.

It is written in parts, in the order of the SKUs. Each part is a transaction that ends soon, with
its items and their words, and others have their turn before the next: no reservation waits for more
than one part. So an import that is ended in the middle, however that happens, has written its first
parts and nothing of the rest. Importing the same catalogue again writes all of it once more.

In the middle, old and new items are for sale side by side, but never in two currencies: a
catalogue in another currency than that of the items it replaces is written in one transaction, for
which all others wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from seam.persistence import Database
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import Item

CHUNK: Final = 500
"""Items of a part: some 50 ms."""

PAUSE: Final = 0.01
"""Seconds between two parts. Another process that waits for the lock of a file does not stand in a
line: it asks every few milliseconds."""


class OtherCurrencyError(ValueError):
    """The catalogue's prices are in another currency than those of items that stay."""

    def __init__(self, currencies: Mapping[str, str]) -> None:
        """Name the currencies, each with an item that has it."""
        listed = ", ".join(f"{code} (as of '{sku}')" for code, sku in sorted(currencies.items()))
        super().__init__(f"all prices must be in one currency; there would be {listed}")


async def load(database: Database, items: Sequence[Item], written: Callable[[int], object]) -> None:
    """Add items, and replace those with the same SKU.

    Args:
        database: the inventory's database.
        items: items with distinct SKUs, all priced in one currency.
        written: is told how many items were committed since it was last called.

    Raises:
        OtherCurrencyError: an item that stays is priced in another currency; nothing was written
            since `written` was last called.
    """
    if not items:
        return
    # Rows are locked in the order of the SKUs, as reservations lock them: neither waits for the
    # other in a circle.
    ordered = sorted(items, key=lambda item: item.sku)
    currency = ordered[0].price.currency_code
    if (await ItemRepository(database).currencies()).keys() - {currency}:
        await _change_currency(database, ordered)
        written(len(ordered))
        return
    for start in range(0, len(ordered), CHUNK):
        if start:
            await asyncio.sleep(PAUSE)
        part = ordered[start : start + CHUNK]
        await _write_part(database, part)
        written(len(part))


async def _write_part(database: Database, part: Sequence[Item]) -> None:
    """Write items in the currency that the others have."""
    async with database.transaction(alone=True) as transaction:
        repository = ItemRepository(transaction)
        # Another import may have changed it since the part before. All have the same, so that one
        # of them can tell.
        found = await repository.any_currency()
        if found is not None and found[0] != part[0].price.currency_code:
            raise OtherCurrencyError(dict([found, (part[0].price.currency_code, part[0].sku)]))
        await repository.put(part)


async def _change_currency(database: Database, items: Sequence[Item]) -> None:
    """Write items, unless one stays that is priced in another currency."""
    async with database.transaction(alone=True) as transaction:
        repository = ItemRepository(transaction)
        for start in range(0, len(items), CHUNK):
            await repository.put(items[start : start + CHUNK])
        currencies = await repository.currencies()
        if len(currencies) > 1:
            raise OtherCurrencyError(currencies)


async def load_if_empty(database: Database, items: Sequence[Item]) -> None:
    """Add items unless there are some: several processes may try at once."""
    async with database.transaction(alone=True) as transaction:
        repository = ItemRepository(transaction)
        if await repository.is_empty():
            await repository.put(items)
