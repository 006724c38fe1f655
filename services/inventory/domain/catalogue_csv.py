"""Reads a catalogue from CSV: every row is checked, and every mistake is reported at once.

The first line names the columns: sku, name, description, category, price, currency, stock. The
price is a decimal number in the currency's usual unit ("19.99"), the currency an ISO 4217 code.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from contract.v1.money import Money

from services.inventory.records.api import Category, Item

COLUMNS: Final = ("sku", "name", "description", "category", "price", "currency", "stock")

MAXIMUM_SKU_LENGTH: Final = 64
MAXIMUM_NAME_LENGTH: Final = 200
MAXIMUM_DESCRIPTION_LENGTH: Final = 4000
MAXIMUM_STOCK: Final = 1_000_000_000
MAXIMUM_MINOR_UNITS: Final = 1_000_000_000_000

CATEGORIES: Final[Mapping[str, Category]] = {
    category.name.lower(): category for category in Category if category
}

# Currencies whose minor unit is not a hundredth. Source: ISO 4217, list one.
_DECIMALS_OF: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DECIMALS: Final[Mapping[str, int]] = {
    currency: decimals for decimals, listed in _DECIMALS_OF.items() for currency in listed.split()
}

# Python's own numbers may also have exponents, underscores and digits of other scripts.
_PRICE: Final = re.compile(r"-?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})")
_STOCK: Final = re.compile(r"[0-9]{1,30}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something in a catalogue that cannot be used.

    Attributes:
        line: line of the file, counted from 1.
        column: name of the column; "" when the whole line is meant.
        reason: what is wrong and what was expected.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """The mistake as one line for a person."""
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was read.

    Attributes:
        items: the items of all good rows, in the order of the file.
        mistakes: what is wrong with the others, in the order of the file.
    """

    items: tuple[Item, ...]
    mistakes: tuple[Mistake, ...]


def read_catalogue(lines: Iterable[str]) -> Catalogue:
    """Read a catalogue.

    Args:
        lines: the file's lines with their line ends.
    """
    rows = csv.reader(lines, strict=True)
    reading = _Reading()
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        missing = [name for name in COLUMNS if name not in header]
        odd = [name for name in header if name not in COLUMNS or header.count(name) > 1]
        if missing or odd:
            what = f"missing {', '.join(missing)}" if missing else f"not expected {', '.join(odd)}"
            expected = ",".join(COLUMNS)
            return Catalogue((), (Mistake(1, "", f"{what}; the columns are {expected}"),))
        start = rows.line_num + 1
        for row in rows:
            if row:
                reading.row(start, header, row)
            start = rows.line_num + 1
    except csv.Error as error:
        reading.mistakes.append(Mistake(rows.line_num, "", f"not valid CSV: {error}"))
    return Catalogue(tuple(reading.items), tuple(reading.mistakes))


class _Reading:
    """Collects items and mistakes, and remembers what must not occur twice."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.mistakes: list[Mistake] = []
        self._line_of_sku: dict[str, int] = {}
        self._currency: tuple[str, int] | None = None

    def row(self, line: int, header: Sequence[str], row: Sequence[str]) -> None:
        if len(row) != len(header):
            reason = f"{len(row)} columns; expected {len(header)}"
            self.mistakes.append(Mistake(line, "", reason))
            return
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        wrong: dict[str, str] = {}
        self._check_texts(cells, wrong)
        self._check_sku(cells["sku"], line, wrong)
        self._check_currency(cells["currency"], line, wrong)
        category = CATEGORIES.get(cells["category"].lower())
        if category is None:
            known = ", ".join(CATEGORIES)
            wrong["category"] = f"'{cells['category']}' is not known; expected one of {known}"
        minor_units = None if "currency" in wrong else _minor_units(cells, wrong)
        stock = _stock(cells["stock"], wrong)
        if wrong or category is None or minor_units is None or stock is None:
            self.mistakes += [Mistake(line, name, wrong[name]) for name in header if name in wrong]
            return
        self.items.append(
            Item(
                sku=cells["sku"],
                name=cells["name"],
                description=cells["description"],
                category=category,
                price=Money(currency_code=cells["currency"], minor_units=minor_units),
                stock=stock,
            )
        )

    def _check_texts(self, cells: Mapping[str, str], wrong: dict[str, str]) -> None:
        for name, most, least in (
            ("sku", MAXIMUM_SKU_LENGTH, 1),
            ("name", MAXIMUM_NAME_LENGTH, 1),
            ("description", MAXIMUM_DESCRIPTION_LENGTH, 0),
        ):
            length = len(cells[name])
            if not least <= length <= most:
                wrong[name] = f"has {length} characters; expected {least} to {most}"
            elif "\0" in cells[name]:
                wrong[name] = "holds a NUL character"

    def _check_sku(self, sku: str, line: int, wrong: dict[str, str]) -> None:
        if "sku" in wrong:
            return
        if not sku.isprintable() or any(mark.isspace() or mark in "/?#%" for mark in sku):
            wrong["sku"] = f"'{sku}' holds a space, a control character or one of / ? # %"
        elif sku in {".", ".."}:
            wrong["sku"] = f"'{sku}' cannot stand in the path of a URL"
        elif sku in self._line_of_sku:
            wrong["sku"] = f"'{sku}' stands in line {self._line_of_sku[sku]} already"
        else:
            self._line_of_sku[sku] = line

    def _check_currency(self, currency: str, line: int, wrong: dict[str, str]) -> None:
        if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            wrong["currency"] = f"'{currency}' is not an ISO 4217 code such as EUR"
        elif self._currency is None:
            self._currency = (currency, line)
        elif currency != self._currency[0]:
            first, where = self._currency
            wrong["currency"] = f"'{currency}', but line {where} has {first}; expected one currency"


def _minor_units(cells: Mapping[str, str], wrong: dict[str, str]) -> int | None:
    decimals = _DECIMALS.get(cells["currency"], 2)
    text = cells["price"]
    amount = Fraction(text) * 10**decimals if _PRICE.fullmatch(text) else None
    if amount is None or amount.denominator != 1:
        expected = f"a number with at most {decimals} decimals"
        wrong["price"] = f"'{text}' is not a price; expected {expected}"
        return None
    if not 0 <= amount <= MAXIMUM_MINOR_UNITS:
        highest = MAXIMUM_MINOR_UNITS // 10**decimals
        wrong["price"] = f"is {text}; expected 0 to {highest}"
        return None
    return int(amount)


def _stock(text: str, wrong: dict[str, str]) -> int | None:
    if not (_STOCK.fullmatch(text) and int(text) <= MAXIMUM_STOCK):
        wrong["stock"] = f"'{text}' is not a stock; expected a whole number to {MAXIMUM_STOCK}"
        return None
    return int(text)
