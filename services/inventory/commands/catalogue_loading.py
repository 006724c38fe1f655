"""Puts a catalogue into the database, all of it or nothing, while others reserve stock of it.

Nearly all that is to be written is the words of items, and a word that no item has does no harm. So
they are written first, in transactions that end soon. The items themselves follow in one
transaction, which writes little; whoever reserves stock waits for that one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from seam.persistence import Database
from services.inventory.persistence.items import ItemRepository, searched_lines
from services.inventory.persistence.search_index import SearchIndex
from services.inventory.records.api import Item

CHUNK: Final = 2_000
"""Items whose words are written in one transaction.

They are written in the order of the words: of more items, more are neighbours, and others wait
longer.
"""


class OtherCurrencyError(ValueError):
    """The catalogue's prices are in another currency than those of items that stay."""


async def load(database: Database, items: Sequence[Item], written: Callable[[int], object]) -> None:
    """Add items, and replace those with the same SKU, all at once.

    Args:
        database: the inventory's database.
        items: items with distinct SKUs, all priced in one currency.
        written: is told of how many items the words were written since it was last called.

    Raises:
        OtherCurrencyError: an item that stays is priced in another currency; nothing was changed.
    """
    # Rows are locked in the order of the SKUs, as reservations lock them: neither waits for the
    # other in a circle.
    ordered = sorted(items, key=lambda item: item.sku)
    chunks = [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
    announced: list[tuple[dict[str, str], dict[str, str | None]]] = []
    for chunk in chunks:
        lines = searched_lines(chunk)
        async with database.transaction() as transaction:
            before = await SearchIndex(transaction).announce(lines)
        announced.append((lines, {sku: before.get(sku) for sku in lines}))
        written(len(chunk))
    async with database.transaction(alone=True) as transaction:
        repository, index = ItemRepository(transaction), SearchIndex(transaction)
        for lines, found in announced:
            await index.put(lines, found)
        # Last, since from here on reservations of these items wait.
        for chunk in chunks:
            await repository.put_rows(chunk)
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
