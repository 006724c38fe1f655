from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from contract.v1.money import Money
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain.catalogue_csv import (
    CATEGORIES,
    COLUMNS,
    MAXIMUM_MISTAKES,
    MAXIMUM_ROW_LENGTH,
    MAXIMUM_SHOWN,
    Catalogue,
    Mistake,
    read_catalogue,
)
from services.inventory.domain.item import MAXIMUM_MINOR_UNITS, MAXIMUM_STOCK
from services.inventory.records.api import Category, Item

HEADER = "sku,name,description,category,price,currency,stock"

GOOD = {
    "sku": "KIT-MUG-0001",
    "name": "Mug",
    "description": "Holds tea.",
    "category": "kitchen",
    "price": "9.90",
    "currency": "EUR",
    "stock": "7",
}

MUG = Item(
    sku="KIT-MUG-0001",
    name="Mug",
    description="Holds tea.",
    category=Category.KITCHEN,
    price=Money(currency_code="EUR", minor_units=990),
    stock=7,
)


def read(text: str) -> Catalogue:
    return read_catalogue(io.StringIO(text, newline="\n"))


def row(**changes: str) -> str:
    """A row with good cells, except for `changes`."""
    line = io.StringIO(newline="\n")
    csv.writer(line, lineterminator="\n").writerow({**GOOD, **changes}.values())
    return line.getvalue().removesuffix("\n")


def read_rows(*rows: str) -> Catalogue:
    return read("\n".join([HEADER, *rows]) + "\n")


def mistakes(*rows: str) -> list[str]:
    return [str(mistake) for mistake in read_rows(*rows).mistakes]


def test_a_row_becomes_an_item() -> None:
    assert read_rows(row()) == Catalogue(items=(MUG,), mistakes=())


def test_items_come_in_the_order_of_the_file() -> None:
    catalogue = read_rows(row(sku="B"), row(sku="A"), row(sku="C"))
    assert [item.sku for item in catalogue.items] == ["B", "A", "C"]


def test_columns_may_come_in_any_order_and_case_with_space_around_them() -> None:
    text = (
        " Stock,CURRENCY,price,category,description,name,SKU \n7,EUR,9.90,KITCHEN,Holds tea.,Mug,"
    )
    assert read(f"{text}KIT-MUG-0001\n").items == (MUG,)


def test_space_around_a_cell_does_not_count() -> None:
    padded = {name: f"  {cell}\t" for name, cell in GOOD.items()}
    assert read_rows(row(**padded)).items == (MUG,)


def test_a_file_with_windows_line_ends_reads_the_same() -> None:
    assert read(f"{HEADER}\r\n{row()}\r\n").items == (MUG,)


def test_the_last_line_needs_no_line_end() -> None:
    assert read(f"{HEADER}\n{row()}").items == (MUG,)


def test_a_header_alone_is_an_empty_catalogue() -> None:
    assert read(f"{HEADER}\n") == Catalogue((), ())


def test_quotes_commas_and_line_ends_may_stand_in_quoted_cells() -> None:
    (item,) = read_rows(row(name='Mug "Größe", blue', description="One.\nTwo, three.")).items
    assert (item.name, item.description) == ('Mug "Größe", blue', "One.\nTwo, three.")


@pytest.mark.parametrize("name", CATEGORIES)
def test_every_category_of_the_contract_can_be_named(name: str) -> None:
    (item,) = read_rows(row(category=name)).items
    assert item.category.name == name.upper()


def test_there_is_no_category_that_says_nothing() -> None:
    assert "unspecified" not in CATEGORIES
    assert len(CATEGORIES) == 10


@pytest.mark.parametrize(
    ("price", "currency", "minor_units"),
    [
        ("19.99", "EUR", 1999),
        ("19.9", "EUR", 1990),
        ("19", "EUR", 1900),
        ("19.", "EUR", 1900),
        (".5", "EUR", 50),
        ("19.990", "EUR", 1999),
        ("0", "EUR", 0),
        ("1999", "JPY", 1999),
        ("1999.00", "JPY", 1999),
        ("1.234", "KWD", 1234),
        ("1.2345", "CLF", 12345),
        ("10000000000.00", "EUR", MAXIMUM_MINOR_UNITS),
    ],
)
def test_a_price_is_counted_in_the_minor_unit_of_its_currency(
    price: str, currency: str, minor_units: int
) -> None:
    (item,) = read_rows(row(price=price, currency=currency)).items
    assert item.price == Money(currency_code=currency, minor_units=minor_units)


@pytest.mark.parametrize(
    ("price", "currency", "reason"),
    [
        ("", "EUR", "'' is not a price; expected a number with at most 2 decimals"),
        ("free", "EUR", "'free' is not a price; expected a number with at most 2 decimals"),
        ("1,99", "EUR", "'1,99' is not a price; expected a number with at most 2 decimals"),
        ("€1", "EUR", "'€1' is not a price; expected a number with at most 2 decimals"),
        ("1.999", "EUR", "'1.999' is not a price; expected a number with at most 2 decimals"),
        ("1.5", "JPY", "'1.5' is not a price; expected a number with at most 0 decimals"),
        ("1.2345", "KWD", "'1.2345' is not a price; expected a number with at most 3 decimals"),
        ("NaN", "EUR", "'NaN' is not a price; expected a number with at most 2 decimals"),
        ("Infinity", "EUR", "'Infinity' is not a price; expected a number with at most 2 decimals"),
        ("1_000", "EUR", "'1_000' is not a price; expected a number with at most 2 decimals"),
        ("٣", "EUR", "'٣' is not a price; expected a number with at most 2 decimals"),
        ("9e999999", "EUR", "'9e999999' is not a price; expected a number with at most 2 decimals"),
        ("-0.01", "EUR", "is -0.01; expected 0 to 10000000000"),
        ("10000000000.01", "EUR", "is 10000000000.01; expected 0 to 10000000000"),
        ("1000000000001", "JPY", "is 1000000000001; expected 0 to 1000000000000"),
    ],
)
def test_what_is_no_price_is_a_mistake(price: str, currency: str, reason: str) -> None:
    assert mistakes(row(price=price, currency=currency)) == [f"line 2, column price: {reason}"]


def test_a_price_that_rounding_would_make_right_is_a_mistake() -> None:
    price = "1.99" + "0" * 26 + "1"
    assert mistakes(row(price=price)) == [
        f"line 2, column price: '{price}' is not a price; expected a number with at most 2 decimals"
    ]


@pytest.mark.parametrize(("text", "stock"), [("0", 0), ("007", 7), (f"{MAXIMUM_STOCK}", 10**9)])
def test_a_stock_is_a_whole_number(text: str, stock: int) -> None:
    (item,) = read_rows(row(stock=text)).items
    assert item.stock == stock


@pytest.mark.parametrize(
    "stock", ["", "-1", "+1", "1.0", "1e3", "many", "²", "٣", "1000000001", "9" * 60]
)
def test_what_is_no_stock_is_a_mistake(stock: str) -> None:
    reason = f"'{stock}' is not a stock; expected a whole number, 0 to 1000000000"
    assert mistakes(row(stock=stock)) == [f"line 2, column stock: {reason}"]


@pytest.mark.parametrize(
    "currency", ["", "eur", "EURO", "EU", "€€€", "ÄÖÜ", "12A ", "ERU", "XAU", "XXX"]
)
def test_what_is_no_currency_is_a_mistake_and_its_price_is_not_judged(currency: str) -> None:
    """Gold has a code and no unit that prices could be counted in."""
    expected = f"line 2, column currency: '{currency.strip()}' is not an ISO 4217 code such as EUR"
    assert mistakes(row(currency=currency, price="?")) == [expected]


def test_prices_in_a_second_currency_are_mistakes_that_name_the_first() -> None:
    assert mistakes(row(sku="A"), row(sku="B", currency="CHF"), row(sku="C")) == [
        "line 3, column currency: 'CHF', but line 2 has EUR; expected one currency"
    ]


def test_an_unknown_category_is_a_mistake_that_lists_the_known_ones() -> None:
    (mistake,) = read_rows(row(category="kitchens")).mistakes
    assert (mistake.line, mistake.column) == (2, "category")
    assert mistake.reason == (
        "'kitchens' is not known; expected one of stationery, kitchen, home, garden, tools, "
        "electronics, outdoor, toys, books, clothing"
    )


@pytest.mark.parametrize("category", ["", "unspecified", "2"])
def test_a_category_must_be_named_by_its_name(category: str) -> None:
    (mistake,) = read_rows(row(category=category)).mistakes
    assert mistake.column == "category"


@pytest.mark.parametrize("mark", [*"/?#% ", "\t", "\u00a0", "\x07", "\u200b", "\n"])
def test_a_sku_with_a_mark_that_could_not_stand_in_a_url_is_a_mistake(mark: str) -> None:
    (mistake,) = read_rows(row(sku=f"KIT{mark}MUG")).mistakes
    assert (mistake.line, mistake.column) == (2, "sku")
    assert mistake.reason.endswith("holds a space, a control character or one of / ? # %")


@pytest.mark.parametrize("sku", [".", ".."])
def test_a_sku_that_a_url_would_read_as_a_folder_is_a_mistake(sku: str) -> None:
    (mistake,) = read_rows(row(sku=sku)).mistakes
    assert (mistake.line, mistake.column) == (2, "sku")
    assert mistake.reason.endswith("cannot stand in the path of a URL")


@pytest.mark.parametrize("sku", ["a", "KIT-MUG-0001", "Ærø.7_x", "x" * 64])
def test_any_other_sku_of_one_to_64_characters_is_good(sku: str) -> None:
    assert [item.sku for item in read_rows(row(sku=sku)).items] == [sku]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("sku", "", "has 0 characters; expected 1 to 64"),
        ("sku", "   ", "has 0 characters; expected 1 to 64"),
        ("sku", "x" * 65, "has 65 characters; expected 1 to 64"),
        ("name", "", "has 0 characters; expected 1 to 200"),
        ("name", "x" * 201, "has 201 characters; expected 1 to 200"),
        ("description", "x" * 4001, "has 4001 characters; expected 0 to 4000"),
        ("sku", "KIT\0MUG", "holds a NUL character"),
        ("name", "Mug\0", "holds a NUL character"),
        ("description", "\0Holds tea.", "holds a NUL character"),
    ],
)
def test_a_text_of_the_wrong_length_or_with_a_nul_is_a_mistake(
    column: str, text: str, reason: str
) -> None:
    assert mistakes(row(**{column: text})) == [f"line 2, column {column}: {reason}"]


def test_a_description_may_be_empty() -> None:
    (item,) = read_rows(row(description="")).items
    assert item.description == ""


def test_a_sku_that_stands_twice_is_a_mistake_that_names_the_first_line() -> None:
    assert mistakes(row(sku="A"), row(sku="B"), row(sku="A")) == [
        "line 4, column sku: 'A' stands in line 2 already"
    ]


def test_skus_that_differ_in_case_are_two() -> None:
    assert mistakes(row(sku="a"), row(sku="A")) == []


def test_all_mistakes_of_all_rows_are_reported_at_once_in_the_order_of_the_file() -> None:
    found = read_rows(
        row(sku="A", name="", price="?", stock="?"),
        row(sku="B"),
        row(sku="C", category="?", currency="?"),
    )
    assert [(mistake.line, mistake.column) for mistake in found.mistakes] == [
        (2, "name"),
        (2, "price"),
        (2, "stock"),
        (4, "category"),
        (4, "currency"),
    ]
    assert [item.sku for item in found.items] == ["B"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A,Mug", "2 columns; expected 7"),
        (row() + ",more", "8 columns; expected 7"),
        (" ", "1 columns; expected 7"),
    ],
)
def test_a_row_with_too_few_or_too_many_cells_is_one_mistake(line: str, reason: str) -> None:
    assert mistakes(line, row()) == [f"line 2: {reason}"]


def test_empty_lines_are_passed_over_and_counted() -> None:
    assert mistakes("", row(sku="A"), "", "", row(sku="B", stock="?")) == [
        "line 6, column stock: '?' is not a stock; expected a whole number, 0 to 1000000000"
    ]


def test_a_mistake_is_in_the_line_where_its_row_begins_however_many_lines_a_cell_spans() -> None:
    found = read_rows(
        row(sku="A", description="one\ntwo\r\nthree"),
        row(sku="B", description="one\ntwo", stock="?"),
        row(sku="C", stock="?"),
    )
    assert [mistake.line for mistake in found.mistakes] == [5, 7]


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("", "missing sku, name, description, category, price, currency, stock"),
        ("sku,name,description,category,price,currency", "missing stock"),
        (HEADER.replace(",", ";"), "separated by ';'; expected commas"),
        (HEADER.replace(",", "\t"), "separated by '\\t'; expected commas"),
        (f"{HEADER},colour", "not expected colour"),
        (f"{HEADER},sku", "not expected sku, sku"),
        (f"{HEADER},", "not expected "),
    ],
)
def test_a_header_that_is_not_the_seven_columns_is_the_only_mistake(header: str, what: str) -> None:
    (mistake,) = read(f"{header}\n{row()}\n{row()}\n").mistakes
    assert (mistake.line, mistake.column) == (1, "")
    assert mistake.reason.startswith(what)
    assert mistake.reason.endswith(f"; the columns are {HEADER}")


def test_an_empty_file_is_a_mistake() -> None:
    assert [mistake.line for mistake in read("").mistakes] == [1]


@pytest.mark.parametrize(
    "broken", ['"Mug', 'A,"Mug" x,,,,,', "A\rB", f"A,{'x' * 200_000},d,kitchen,1,EUR,1"]
)
def test_what_is_not_csv_is_a_mistake_that_ends_the_reading(broken: str) -> None:
    found = read_rows(row(), broken)
    (mistake,) = found.mistakes
    assert (mistake.line, mistake.column) == (3, "")
    assert mistake.reason.startswith("not valid CSV: ")
    assert found.items == (MUG,)


@pytest.mark.parametrize("column", ["sku", "category", "price", "currency", "stock"])
@pytest.mark.parametrize("cell", ["9" * 10_000, "x" * 10_000, "\x1b[2J" * 2_000, "\u202e" * 5_000])
def test_a_mistake_repeats_no_more_than_a_person_reads_and_nothing_that_a_terminal_obeys(
    column: str, cell: str
) -> None:
    for mistake in mistakes(row(**{column: cell})):
        assert mistake.isprintable()
        assert len(mistake) < 10 * MAXIMUM_SHOWN


def test_of_many_mistakes_the_first_are_kept_and_the_others_counted() -> None:
    count = MAXIMUM_MISTAKES + 1000
    found = read_rows(*(row(sku=f"SKU-{number}", price="?") for number in range(count)))
    assert [mistake.line for mistake in found.mistakes] == list(range(2, MAXIMUM_MISTAKES + 2))
    assert found.further_mistakes == 1000


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('A,"Mug,' + "Holds tea.\n" * 100_000, id="a quote that is not closed"),
        pytest.param('"' * 1_000_001, id="nothing but quotes"),
        pytest.param("A," * 500_000, id="a line of many cells"),
        pytest.param('"a\n",' * 300_000, id="a row of many lines"),
        pytest.param("x" * 1_000_000, id="a cell without an end"),
    ],
)
def test_a_row_without_an_end_is_a_mistake_at_its_first_line_and_is_not_read_to_its_end(
    content: str,
) -> None:
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for line in io.StringIO(f"{HEADER}\n{row()}\n{content}", newline="\n"):
            taken += len(line)
            yield line

    found = read_catalogue(lines())
    (mistake,) = found.mistakes
    assert (mistake.line, mistake.column) == (3, "")
    assert mistake.reason.startswith("not valid CSV: ")
    assert found.items == (MUG,)
    longest = max(map(len, content.splitlines(keepends=True)))
    assert taken < len(HEADER) + len(row()) + 2 + MAXIMUM_ROW_LENGTH + longest + 1


def cpu_time(content: str) -> float:
    """The least of a few, since whatever else the machine does only adds to it."""
    lines = content.splitlines(keepends=True)
    taken = []
    for _ in range(5):
        begun = time.process_time()
        read_catalogue(lines)
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize(
    "content",
    [
        lambda n: HEADER + "\n" + "".join(f"{row(sku=f'S{k}')}\n" for k in range(n)),
        lambda n: HEADER + "\n" + "".join(f"{row(sku='S', price='?')}\n" for _ in range(n)),
        lambda n: HEADER + "\n" + f"{row(sku='9' * 10_000, stock='9' * 10_000)}\n" * (n // 50),
        lambda n: ",".join(f"{k:x}" for k in range(n)),
        lambda n: f"{HEADER}," + "x," * n,
        lambda n: HEADER + "\n" + "," * 20 * n,
        lambda n: HEADER + "\n" * 20 * n,
        lambda n: HEADER + '\n"' + '""' * 10 * n,
    ],
    ids=[
        "rows",
        "mistakes",
        "digits",
        "columns",
        "columns of one name",
        "cells",
        "empty lines",
        "quotes",
    ],
)
def test_four_times_as_much_costs_no_more_than_about_four_times(
    content: Callable[[int], str],
) -> None:
    """Whatever grows with the square costs sixteen times as much."""
    small, large = cpu_time(content(4_000)), cpu_time(content(16_000))
    assert large < 9 * small + 0.002, (small, large)


def test_a_mistake_reads_as_one_line() -> None:
    assert str(Mistake(4, "price", "is odd")) == "line 4, column price: is odd"
    assert str(Mistake(4, "", "is odd")) == "line 4: is odd"


TEXT = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
)
ITEMS = st.lists(
    st.builds(
        Item,
        sku=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._\-]{0,63}", fullmatch=True),
        name=TEXT.map(str.strip).filter(bool),
        description=TEXT.map(str.strip),
        category=st.sampled_from(list(CATEGORIES.values())),
        price=st.builds(
            Money,
            currency_code=st.just("EUR"),
            minor_units=st.integers(0, MAXIMUM_MINOR_UNITS),
        ),
        stock=st.integers(0, MAXIMUM_STOCK),
    ),
    unique_by=lambda item: item.sku,
    max_size=8,
)


def written(items: Sequence[Item]) -> str:
    text = io.StringIO(newline="\n")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for item in items:
        euros, cents = divmod(item.price.minor_units, 100)
        category = item.category.name.lower()
        price = f"{euros}.{cents:02}"
        writer.writerow([item.sku, item.name, item.description, category, price, "EUR", item.stock])
    return text.getvalue()


@given(items=ITEMS)
def test_what_a_csv_writer_writes_is_read_back_unchanged(items: list[Item]) -> None:
    assert read(written(items)) == Catalogue(tuple(items), ())


@given(text=st.text(max_size=300))
def test_no_text_whatever_makes_reading_fail(text: str) -> None:
    for content in (text, f"{HEADER}\n{text}"):
        found = read(content)
        assert all(mistake.line >= 1 and mistake.reason for mistake in found.mistakes)


@given(cells=st.fixed_dictionaries({name: st.text(max_size=20) for name in COLUMNS}))
def test_every_row_becomes_an_item_or_mistakes_never_both_nor_neither(
    cells: dict[str, str],
) -> None:
    line = io.StringIO(newline="\n")
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells.values())
    found = read(f"{HEADER}\n{line.getvalue()}")
    assert bool(found.items) != bool(found.mistakes)
