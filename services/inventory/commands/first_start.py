"""Fills the embedded database when the shop is started for the first time, and no other."""

from __future__ import annotations

import logging
from importlib import resources

from seam.persistence import Database, shown_url
from services.inventory.commands.catalogue_loading import load_if_empty
from services.inventory.domain.catalogue_csv import read_catalogue
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import Item

log = logging.getLogger(__name__)


async def tell_if_empty(database: Database, url: str) -> None:
    """Say in the log how a database that somebody chose is filled, if it holds no item.

    Args:
        database: the inventory's database.
        url: where it is.
    """
    if not await ItemRepository(database).is_empty():
        return
    shown = shown_url(url)
    log.warning(
        "the catalogue in %s is empty; fill it with this program's command: "
        "inventory import FILE.csv --database 'inventory=%s'",
        shown,
        shown,
    )


async def load_on_first_start(database: Database) -> None:
    """Load the catalogue that comes with the shop, unless the database holds items."""
    if not await ItemRepository(database).is_empty():
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
