"""A catalogue of any size, the same each time, and the CSV file that the shop imports."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

CATEGORIES: Final = ("kitchen", "home", "garden", "tools", "outdoor", "toys", "books", "clothing")
ADJECTIVES: Final = (
    *(
        "Small",
        "Large",
        "Round",
        "Narrow",
        "Light",
        "Heavy",
        "Folding",
        "Painted",
        "Plain",
        "Woven",
    ),
    *("Quiet", "Bright", "Dark", "Soft", "Sturdy", "Simple", "Curved", "Polished", "Rough", "Warm"),
)
MATERIALS: Final = (
    *("oak", "walnut", "ash", "birch", "cork", "linen", "cotton", "wool", "leather", "steel"),
    *("copper", "brass", "iron", "glass", "clay", "paper", "wax", "slate", "granite", "bamboo"),
    *(
        "maple",
        "felt",
        "enamel",
        "porcelain",
        "rattan",
        "marble",
        "tin",
        "silk",
        "canvas",
        "rubber",
    ),
)
THINGS: Final = (
    *("board", "bowl", "cup", "jug", "lamp", "chair", "table", "shelf", "hook", "basket"),
    *("knife", "spoon", "tray", "vase", "brush", "blanket", "cushion", "apron", "clock", "mirror"),
    *("frame", "stool", "bench", "ladder", "crate", "rack", "pot", "pan", "kettle", "lantern"),
    *(
        "notebook",
        "pencil",
        "candle",
        "teapot",
        "plate",
        "saw",
        "hammer",
        "spade",
        "rake",
        "trowel",
    ),
)
CURRENCY: Final = "EUR"
STOCK: Final = 1_000_000
"""So much that no order of a benchmark is refused."""


class CatalogueItem(NamedTuple):
    """An item of the catalogue."""

    sku: str
    name: str
    description: str
    category: str
    price_minor_units: int
    stock: int


def catalogue(size: int) -> Iterator[CatalogueItem]:
    """The items, in the order of their SKUs."""
    chance = random.Random(size)
    for number in range(size):
        adjective, material, thing = map(chance.choice, (ADJECTIVES, MATERIALS, THINGS))
        yield CatalogueItem(
            sku=sku(number),
            name=f"{adjective} {material} {thing}",
            description=f"A {adjective.lower()} {thing} of {material}, made by hand. "
            f"Wipe it with a damp cloth from time to time, and keep it from the sun.",
            category=chance.choice(CATEGORIES),
            price_minor_units=chance.randrange(100, 20_000),
            stock=STOCK,
        )


def sku(number: int) -> str:
    """The SKU of an item by its place in the catalogue."""
    return f"SKU-{number:07}"


def write_csv(size: int, file: Path) -> None:
    """Write the catalogue as the shop imports it."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("sku", "name", "description", "category", "price", "currency", "stock"))
        for item in catalogue(size):
            price = f"{item.price_minor_units / 100:.2f}"
            writer.writerow((*item[:4], price, CURRENCY, item.stock))
