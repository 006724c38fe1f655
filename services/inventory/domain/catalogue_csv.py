"""Reads a catalogue from CSV: every row is checked, and every mistake is reported at once.

The first line names the columns: sku, name, description, category, price, currency, stock. The
price is a decimal number in the currency's usual unit ("19.99"), the currency an ISO 4217 code.

A file may be anything that somebody has at hand, so what is kept of it is bounded: a row, the
number of mistakes and what they repeat. What it costs to read grows with its size and no faster.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from contract.v1.money import Money
from iso4217 import Currency

from seam.persistence import text_refusal
from services.inventory.domain.item import (
    MAXIMUM_DESCRIPTION_LENGTH,
    MAXIMUM_MINOR_UNITS,
    MAXIMUM_NAME_LENGTH,
    MAXIMUM_SKU_LENGTH,
    MAXIMUM_STOCK,
)
from services.inventory.domain.utf8 import UnreadableLineError
from services.inventory.records.api import Category, Item

COLUMNS: Final = ("sku", "name", "description", "category", "price", "currency", "stock")

MAXIMUM_ROW_LENGTH: Final = 128 * 1024
"""Characters of a row, which may stand in several lines."""

MAXIMUM_MISTAKES: Final = 50
"""Mistakes that are told one by one; the others are counted."""

MAXIMUM_SHOWN: Final = 60
"""Characters of a cell that a mistake repeats."""

CATEGORIES: Final[Mapping[str, Category]] = {
    category.name.lower(): category for category in Category if category
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
        mistakes: what is wrong with the others, in the order of the file: the first of them.
        further_mistakes: how many more there are.
    """

    items: tuple[Item, ...]
    mistakes: tuple[Mistake, ...]
    further_mistakes: int = 0


def read_catalogue(lines: Iterable[str]) -> Catalogue:
    """Read a catalogue.

    Args:
        lines: the file's lines with their line ends, as `utf8.decoded` gives them.
    """
    bounded = _BoundedRows(lines)
    rows = csv.reader(bounded, strict=True)
    reading = _Reading()
    start = 1
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        wrong = _wrong_header(header)
        if wrong is not None:
            return Catalogue((), (Mistake(1, "", wrong),))
        bounded.begin_row()
        start = rows.line_num + 1
        for row in rows:
            if row:
                reading.row(start, header, row)
            bounded.begin_row()
            start = rows.line_num + 1
    except csv.Error as error:
        reading.note(Mistake(start, "", f"not valid CSV: {error}"))
    except UnreadableLineError as error:
        reading.note(Mistake(rows.line_num + 1, error.column, error.reason))
    return Catalogue(tuple(reading.items), tuple(reading.mistakes), reading.further_mistakes)


def _wrong_header(header: Sequence[str]) -> str | None:
    expected = f"the columns are {','.join(COLUMNS)}"
    if len(header) == 1 and (separators := [mark for mark in ";\t" if mark in header[0]]):
        return f"separated by '{_shown(separators[0])}'; expected commas; {expected}"
    counted = Counter(header)
    missing = [name for name in COLUMNS if name not in counted]
    if missing:
        return f"missing {', '.join(missing)}; {expected}"
    odd = [name for name in header if name not in COLUMNS or counted[name] > 1]
    if odd:
        more = f" and {len(odd) - len(COLUMNS)} more" if len(odd) > len(COLUMNS) else ""
        return f"not expected {', '.join(map(_shown, odd[: len(COLUMNS)]))}{more}; {expected}"
    return None


def _shown(text: str) -> str:
    """A cell as a mistake repeats it: short, and without what a terminal would obey."""
    if len(text) > MAXIMUM_SHOWN:
        text = f"{text[:MAXIMUM_SHOWN]}…"
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )


class _BoundedRows:
    """Lines of which one row takes no more than it may."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._length = 0

    def begin_row(self) -> None:
        self._length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._length += len(line)
        if self._length > MAXIMUM_ROW_LENGTH:
            raise csv.Error(
                f"the row has more than {MAXIMUM_ROW_LENGTH} characters; is a quote not closed?"
            )
        return line


class _Reading:
    """Collects items and mistakes, and remembers what must not occur twice."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.mistakes: list[Mistake] = []
        self.further_mistakes = 0
        self._line_of_sku: dict[str, int] = {}
        self._currency: tuple[str, int] | None = None

    def note(self, mistake: Mistake) -> None:
        if len(self.mistakes) < MAXIMUM_MISTAKES:
            self.mistakes.append(mistake)
        else:
            self.further_mistakes += 1

    def row(self, line: int, header: Sequence[str], row: Sequence[str]) -> None:
        if len(row) != len(header):
            reason = f"{len(row)} columns; expected {len(header)}"
            self.note(Mistake(line, "", reason))
            return
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        wrong: dict[str, str] = {}
        self._check_texts(cells, wrong)
        self._check_sku(cells["sku"], line, wrong)
        self._check_currency(cells["currency"], line, wrong)
        category = CATEGORIES.get(cells["category"].lower())
        if category is None:
            known = ", ".join(CATEGORIES)
            wrong["category"] = (
                f"'{_shown(cells['category'])}' is not known; expected one of {known}"
            )
        minor_units = None if "currency" in wrong else _minor_units(cells, wrong)
        stock = _stock(cells["stock"], wrong)
        if wrong or category is None or minor_units is None or stock is None:
            for name in header:
                if name in wrong:
                    self.note(Mistake(line, name, wrong[name]))
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
            reason = text_refusal(cells[name], most, minimum=least)
            if reason is not None:
                wrong[name] = reason

    def _check_sku(self, sku: str, line: int, wrong: dict[str, str]) -> None:
        if "sku" in wrong:
            return
        if not sku.isprintable() or any(mark.isspace() or mark in "/?#%" for mark in sku):
            wrong["sku"] = f"'{_shown(sku)}' holds a space, a control character or one of / ? # %"
        elif sku in {".", ".."}:
            wrong["sku"] = f"'{sku}' cannot stand in the path of a URL"
        elif sku in self._line_of_sku:
            wrong["sku"] = f"'{sku}' stands in line {self._line_of_sku[sku]} already"
        else:
            self._line_of_sku[sku] = line

    def _check_currency(self, currency: str, line: int, wrong: dict[str, str]) -> None:
        if _decimals(currency) is None:
            wrong["currency"] = f"'{_shown(currency)}' is not an ISO 4217 code such as EUR"
        elif self._currency is None:
            self._currency = (currency, line)
        elif currency != self._currency[0]:
            first, where = self._currency
            wrong["currency"] = f"'{currency}', but line {where} has {first}; expected one currency"


def _decimals(currency: str) -> int | None:
    """How many decimals prices in a currency have; None when it is none."""
    try:
        return Currency(currency).exponent
    except ValueError:
        return None


def _minor_units(cells: Mapping[str, str], wrong: dict[str, str]) -> int | None:
    decimals = _decimals(cells["currency"]) or 0
    text = cells["price"]
    amount = Fraction(text) * 10**decimals if _PRICE.fullmatch(text) else None
    if amount is None or amount.denominator != 1:
        expected = f"a number with at most {decimals} decimals"
        wrong["price"] = f"'{_shown(text)}' is not a price; expected {expected}"
        return None
    if not 0 <= amount <= MAXIMUM_MINOR_UNITS:
        highest = MAXIMUM_MINOR_UNITS // 10**decimals
        wrong["price"] = f"is {text}; expected 0 to {highest}"
        return None
    return int(amount)


def _stock(text: str, wrong: dict[str, str]) -> int | None:
    if not (_STOCK.fullmatch(text) and int(text) <= MAXIMUM_STOCK):
        wrong["stock"] = (
            f"'{_shown(text)}' is not a stock; expected a whole number, 0 to {MAXIMUM_STOCK}"
        )
        return None
    return int(text)
