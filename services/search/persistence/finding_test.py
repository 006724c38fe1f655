"""What is found, and in which order: the same on both databases where one item is better."""

from __future__ import annotations

import pytest
from contract.v1.money import Money

from seam.persistence import Database
from services.inventory.records.messagebus import CatalogueItem
from services.search.domain.spelling import variants
from services.search.domain.words import Term, sought_terms
from services.search.persistence.documents import Documents, prepared
from services.search.persistence.finding import ENOUGH, count, find, neighbours
from services.search.persistence.generations import (
    begin_generation,
    finish_generation,
    make_state,
)


def an_item(
    sku: str, name: str, description: str = "", *, category: str = "", version: int = 1
) -> CatalogueItem:
    return CatalogueItem(
        sku=sku,
        name=name,
        description=description,
        category=category,
        price=Money(currency_code="EUR", minor_units=990),
        version=version,
    )


async def index(database: Database, *items: CatalogueItem) -> None:
    """Have items in the generation that is searched."""
    await make_state(database)
    generation = await begin_generation(database, "me", 1, 1_000_000)
    assert generation is not None
    async with database.transaction() as transaction:
        await Documents(transaction).put((generation,), prepared(items))
    await finish_generation(database, generation)


async def skus(database: Database, query: str, *, skipped: int = 0, size: int = 50) -> list[str]:
    found = await find(database, sought_terms(query), skipped=skipped, size=size)
    return [each.sku for each in found]


OTHERS = tuple(
    an_item(f"Z{number}", f"Lamp number {number}", "Gives light.") for number in range(8)
)
"""Most items do not hold a word."""


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        pytest.param(
            "oak", an_item("B", "Oak board"), an_item("A", "Board", "Made of oak."), id="title"
        ),
        pytest.param(
            "garden",
            an_item("B", "Spade", "Steel.", category="garden"),
            an_item("A", "Spade", "Not for the garden."),
            id="category",
        ),
        pytest.param("cup", an_item("B", "Cup"), an_item("A", "Cupboard"), id="the word itself"),
        pytest.param(
            "tea",
            an_item("B", "Pot", "For tea."),
            an_item(
                "A", "Pot", "For tea, or for coffee, or soup, or flowers, or whatever you like."
            ),
            id="shorter",
        ),
        pytest.param(
            "oak board",
            an_item("B", "Oak board", "For bread."),
            an_item("A", "Oak", "A board for bread."),
            id="both words in the title",
        ),
        pytest.param(
            "mug", an_item("B", "Mug", "A mug."), an_item("A", "Mug", "A cup."), id="more often"
        ),
    ],
)
async def test_a_better_item_comes_first(
    database: Database, query: str, better: CatalogueItem, worse: CatalogueItem
) -> None:
    await index(database, worse, better, *OTHERS)
    assert await skus(database, query) == ["B", "A"]
    found = await find(database, sought_terms(query), skipped=0, size=2)
    assert found[0].score > found[1].score > 0


async def test_items_that_fit_equally_come_in_the_order_of_their_skus(database: Database) -> None:
    await index(database, *(an_item(sku, "Mug") for sku in ("b", "B", "é", "a")), *OTHERS)
    assert await skus(database, "mug") == ["B", "a", "b", "é"]
    assert await skus(database, "mug", skipped=1, size=2) == ["a", "b"]
    assert await skus(database, "mug", skipped=4) == []


async def test_every_word_must_be_there_and_long_ones_may_be_beginnings(database: Database) -> None:
    board = an_item("KIT-BRD-0008", "Oak boards", "For bread")
    await index(database, board, an_item("A", "Oak table"), *OTHERS)
    for query in ("board", "boards oak", "KIT BRD", "kit-brd-0008", "bre OAK", "oa board"):
        expected = [] if query == "oa board" else ["KIT-BRD-0008"]
        assert await skus(database, query) == expected, query


async def test_accents_case_and_forms_of_a_letter_do_not_count(database: Database) -> None:
    await index(database, an_item("A", "Crème brûlée"), an_item("B", "GROSSE TASSE"), *OTHERS)
    for query in ("creme brulee", "CRÈME", "cre\u0300me"):
        assert await skus(database, query) == ["A"], query
    assert await skus(database, "große") == ["B"]


async def test_chinese_is_found_wherever_it_stands_in_a_text(database: Database) -> None:
    await index(database, an_item("A", "東京タワー"), an_item("B", "大阪"), *OTHERS)
    for query in ("東京", "京タワ", "タワー", "ー", "東"):
        assert await skus(database, query) == ["A"], query
    assert await skus(database, "東大") == []


@pytest.mark.parametrize(
    "query",
    [
        'oak" OR "lamp',
        "oak* NEAR(lamp)",
        "title:oak",
        "{title}: oak",
        "oak') OR 1=1 --",
        "oak & !lamp",
        "oak:*A",
        "'oak' <-> 'x'",
        "oak\\",
        "oak\0",
        "oak \ud800",
        "^oak",
        "-oak",
    ],
)
async def test_the_query_language_of_a_database_is_out_of_reach(
    database: Database, query: str
) -> None:
    """Signs only part words, so each query asks for its words and for nothing else."""
    words = sought_terms(query)
    assert all(term.word.isalnum() for term in words)
    await index(database, an_item("A", " ".join(term.word for term in words)), *OTHERS)
    assert await skus(database, query) == ["A"]


@pytest.mark.parametrize("word", ["and", "or", "not", "near"])
async def test_operators_of_a_database_are_words(database: Database, word: str) -> None:
    await index(database, an_item("A", f"this {word} that"), *OTHERS)
    assert await skus(database, word.upper()) == ["A"]


async def test_the_longest_texts_can_be_found(database: Database) -> None:
    long = an_item("A", "x" * 200, " ".join(f"w{number}" for number in range(20_000)))
    await index(database, long, an_item("B", "y " * 100, "z" * 4_000), *OTHERS)
    assert await skus(database, "w19999") == ["A"]
    assert await skus(database, "x" * 64) == ["A"]
    assert await skus(database, "z" * 100) == ["B"]


async def test_items_of_a_word_are_counted_and_no_more_than_enough(database: Database) -> None:
    items = (an_item(f"M{number}", "Mug") for number in range(ENOUGH + 5))
    await index(database, *items, an_item("B", "Muggle"), *OTHERS)
    assert await count(database, Term("mug", begins=False)) == ENOUGH
    assert await count(database, Term("muggl", begins=False)) == 0
    assert await count(database, Term("muggl", begins=True)) == 1


async def test_neighbours_of_a_word_are_those_of_the_catalogue(database: Database) -> None:
    await index(database, an_item("KIT-0001", "Keyboard", "Teclado"), an_item("B", "Board"))
    assert "keyboard" in await neighbours(database, sorted(variants("keybord")))
    assert await neighbours(database, sorted(variants("piano"))) == []
    # Numbers are not mistyped into one another.
    assert await neighbours(database, sorted(variants("0001"))) == []


async def test_nothing_is_found_before_the_index_was_ever_built(database: Database) -> None:
    assert await skus(database, "oak") == []
    await make_state(database)
    assert await skus(database, "oak") == []
