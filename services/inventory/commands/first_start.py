"""Fills the embedded database when the shop is started for the first time."""

from __future__ import annotations

from importlib import resources

from seam.persistence import Database
from services.inventory.commands.catalogue_loading import load_if_empty
from services.inventory.domain.catalogue_csv import read_catalogue
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import Item


async def load_on_first_start(database: Database) -> None:
    """Load the catalogue that comes with the shop, unless the database holds items."""
    async with database.read() as session:
        if await ItemRepository(session).count():
            return
    await load_if_empty(database, example_catalogue())


def example_catalogue() -> tuple[Item, ...]:
    """The items of the catalogue that comes with the shop.

    Raises:
        ValueError: the packaged file is broken.
    """
    file = resources.files("services.inventory.commands").joinpath("products.csv")
    catalogue = read_catalogue(file.read_text(encoding="utf-8").splitlines(keepends=True))
    if catalogue.mistakes:
        raise ValueError(f"products.csv: {catalogue.mistakes[0]}")
    return catalogue.items
