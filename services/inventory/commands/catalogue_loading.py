"""Puts a catalogue into the database, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from seam.persistence import Database
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import Item

CHUNK: Final = 10_000
"""Items that are written between two reports of progress.

Their words are written in the order of the words: of more items, more are neighbours.
"""


class OtherCurrencyError(ValueError):
    """The catalogue's prices are in another currency than those of items that stay."""


async def load(database: Database, items: Sequence[Item], written: Callable[[int], object]) -> None:
    """Add items, and replace those with the same SKU, in one transaction.

    Args:
        database: the inventory's database.
        items: items with distinct SKUs, all priced in one currency.
        written: is told how many items were written since it was last called.

    Raises:
        OtherCurrencyError: an item that stays is priced in another currency; nothing was changed.
    """
    # Rows are locked in the order of the SKUs, as reservations lock them: neither waits for the
    # other in a circle.
    ordered = sorted(items, key=lambda item: item.sku)
    async with database.transaction(alone=True) as transaction:
        repository = ItemRepository(transaction)
        for start in range(0, len(ordered), CHUNK):
            chunk = ordered[start : start + CHUNK]
            await repository.put(chunk)
            written(len(chunk))
        currencies = await repository.currencies()
        if len(currencies) > 1:
            listed = ", ".join(
                f"{code} (as of '{sku}')" for code, sku in sorted(currencies.items())
            )
            raise OtherCurrencyError(f"all prices must be in one currency; there would be {listed}")


async def load_if_empty(database: Database, items: Sequence[Item]) -> None:
    """Add items unless there are some: several processes may try at once."""
    async with database.transaction(alone=True) as transaction:
        repository = ItemRepository(transaction)
        if await repository.is_empty():
            await repository.put(items)
