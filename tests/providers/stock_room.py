"""A catalogue for tests of providers, large enough that each test has items of its own."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SHELVES: Final = 120
STOCK: Final = {"A": 5, "B": 3, "C": 0}
"""How many units of its three items a shelf has."""

COLUMNS: Final = ("sku", "name", "description", "category", "price", "currency", "stock")
TEAPOT: Final = (
    "Ærø-1",
    'Pot "Größe", blue',
    "Line one.\nLine two: 🫖",
    "kitchen",
    "9999999.99",
    "EUR",
    "1000000000",
)


@dataclass(frozen=True)
class Shelf:
    """Three items that no other test touches."""

    number: int

    @property
    def kind(self) -> str:
        """The first word of its items' names."""
        return "Odd" if self.number % 2 else "Even"

    @property
    def a(self) -> str:
        return self.sku("A")

    @property
    def b(self) -> str:
        return self.sku("B")

    @property
    def c(self) -> str:
        return self.sku("C")

    def sku(self, letter: str) -> str:
        return f"SHELF-{self.number:03}-{letter}"


def skus() -> list[str]:
    """The SKUs of all items on shelves, in their order."""
    return [Shelf(number).sku(letter) for number in range(SHELVES) for letter in STOCK]


def write_catalogue(file: Path) -> None:
    """Write the catalogue as CSV: a teapot, then all shelves, the last one first."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerows((COLUMNS, TEAPOT))
        for shelf in map(Shelf, reversed(range(SHELVES))):
            text = f"Stands on shelf {shelf.number}."
            for letter, stock in STOCK.items():
                name = f"{shelf.kind} {letter}"
                rows.writerow((shelf.sku(letter), name, text, "home", "1.5", "EUR", stock))
