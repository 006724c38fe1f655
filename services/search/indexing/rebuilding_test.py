"""An index is built from the catalogue while it serves, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from contract.v1.money import Money
from sqlalchemy import func, select

from seam.contract import Code, StatusError
from seam.persistence import Database, Query
from services.inventory.records.messagebus import (
    CatalogueItem,
    ExportItemsRequest,
    ExportItemsResponse,
    ItemChanged,
)
from services.inventory.records.messagebus_mock import InventoryMock
from services.search.domain.words import sought_terms
from services.search.indexing import rebuilding
from services.search.indexing.catalogue_changes import index_changed_item
from services.search.indexing.rebuilding import PAGE, Builder
from services.search.persistence.finding import find
from services.search.persistence.generations import (
    ask_for_generation,
    begin_generation,
    make_state,
    read_state,
)
from services.search.persistence.tables import DocumentRow, SpellingRow

GENERATIONS = Query(
    select(DocumentRow.generation, func.count()).group_by(DocumentRow.generation),  # type: ignore[call-overload]
    lambda generation, count: (generation, count),
)
SPELLINGS = Query(select(SpellingRow.generation).distinct(), int)  # type: ignore[call-overload]


class Catalogue:
    """What a mock of inventory sells.

    Attributes:
        items: by SKU.
        between: is called before each page but the first.
        mock: the mock.
    """

    def __init__(self, count: int) -> None:
        self.items = {
            sku: an_item(sku, "Mug") for sku in (f"M{number:04}" for number in range(count))
        }
        self.between: Callable[[], Awaitable[None]] | None = None
        self.mock = InventoryMock()
        self.mock.export_items.answers(self._page)

    async def _page(self, request: ExportItemsRequest) -> ExportItemsResponse:
        if request.after_sku and self.between is not None:
            await self.between()
        after = (self.items[sku] for sku in sorted(self.items) if sku > request.after_sku)
        items = tuple(item for item, _ in zip(after, range(request.page_size), strict=False))
        return ExportItemsResponse(items=items)


def an_item(sku: str, name: str, version: int = 1) -> CatalogueItem:
    price = Money(currency_code="EUR", minor_units=990)
    return CatalogueItem(
        sku=sku, name=name, description="", category="", price=price, version=version
    )


async def tell(database: Database, item: CatalogueItem) -> None:
    async with database.transaction() as transaction:
        await index_changed_item(ItemChanged(sku=item.sku, item=item), transaction)


async def skus(database: Database, query: str) -> list[str]:
    found = await find(database, sought_terms(query), skipped=0, size=1_000)
    return [each.sku for each in found]


@pytest.fixture
async def database(database: Database) -> Database:
    """A database whose index was never built."""
    await make_state(database)
    return database


@pytest.fixture
def catalogue() -> Catalogue:
    """A catalogue of two pages and a half."""
    return Catalogue(2 * PAGE + PAGE // 2)


def builder(database: Database, catalogue: Catalogue) -> Builder:
    return Builder(database, catalogue.mock.stub())


async def test_an_index_that_was_never_built_fills_from_a_catalogue_that_is_there(
    database: Database, catalogue: Catalogue
) -> None:
    assert await builder(database, catalogue).build_if_due()
    assert await skus(database, "mug") == sorted(catalogue.items)
    assert not await builder(database, catalogue).build_if_due()


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1])
async def test_a_catalogue_of_any_size_is_read_to_its_end(database: Database, count: int) -> None:
    catalogue = Catalogue(count)
    assert await builder(database, catalogue).build_if_due()
    assert len(await skus(database, "mug")) == count


async def test_what_there_is_of_the_first_generation_is_found_before_it_is_whole(
    database: Database, catalogue: Catalogue
) -> None:
    seen: list[int] = []

    async def between() -> None:
        seen.append(len(await skus(database, "mug")))

    catalogue.between = between
    await builder(database, catalogue).build_if_due()
    assert seen == [PAGE, 2 * PAGE]


async def test_the_old_generation_serves_and_follows_until_the_new_one_is_whole(
    database: Database, catalogue: Catalogue
) -> None:
    await builder(database, catalogue).build_if_due()
    # It was taken out by hand, and nobody was told.
    del catalogue.items["M0000"]
    await ask_for_generation(database)
    found: list[tuple[int, int]] = []

    async def between() -> None:
        found.append((len(await skus(database, "mug")), len(await skus(database, "cup"))))
        await tell(database, an_item("M0001", "Cup", 2))
        await tell(database, an_item("N0001", "Cup", 2))

    catalogue.between = between
    assert await builder(database, catalogue).build_if_due()
    whole = len(catalogue.items) + 1
    assert found == [(whole, 0), (whole - 1, 2)]
    # The page with M0001 had been read before it was changed; N0001 is new.
    assert await skus(database, "cup") == ["M0001", "N0001"]
    assert await skus(database, "mug") == sorted(set(catalogue.items) - {"M0001"})


async def test_a_page_that_is_older_than_an_event_does_not_undo_it(
    database: Database, catalogue: Catalogue
) -> None:
    last = max(catalogue.items)

    async def between() -> None:
        # The page after it still has version 1, as a replica that lags might.
        await tell(database, an_item(last, "Cup", 2))

    catalogue.between = between
    await builder(database, catalogue).build_if_due()
    assert await skus(database, "cup") == [last]


async def test_a_process_that_ends_in_the_middle_leaves_the_old_generation_searched(
    database: Database, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await builder(database, catalogue).build_if_due()
    await ask_for_generation(database)

    async def fail() -> None:
        raise StatusError(Code.UNAVAILABLE, "away")

    catalogue.between = fail
    with pytest.raises(StatusError):
        await builder(database, catalogue).build_if_due()
    assert len(await skus(database, "mug")) == len(catalogue.items)
    # Others leave it alone as long as its lease lasts.
    catalogue.between = None
    assert not await builder(database, catalogue).build_if_due()
    later = rebuilding._now() + int(1.5 * rebuilding.LEASE * 1e6)
    monkeypatch.setattr(rebuilding, "_now", lambda: later)
    assert await builder(database, catalogue).build_if_due()
    assert len(await skus(database, "mug")) == len(catalogue.items)
    # Nothing is left of the generation that was given up, nor of the one before.
    state = await read_state(database)
    assert state.building is None
    assert await database.fetch_all(GENERATIONS) == [(state.live, len(catalogue.items))]
    assert await database.fetch_all(SPELLINGS) == [state.live]


async def test_a_builder_goes_on_with_what_it_has_failed_to_do_itself(
    database: Database, catalogue: Catalogue
) -> None:
    async def fail() -> None:
        catalogue.between = None
        raise StatusError(Code.UNAVAILABLE, "away")

    catalogue.between = fail
    here = builder(database, catalogue)
    with pytest.raises(StatusError):
        await here.build_if_due()
    assert await here.build_if_due()
    assert len(await skus(database, "mug")) == len(catalogue.items)


async def test_a_builder_that_was_frozen_gives_up_for_a_later_generation(
    database: Database, catalogue: Catalogue
) -> None:
    far = rebuilding._now() + int(1.5 * rebuilding.LEASE * 1e6)
    later: list[int | None] = []

    async def between() -> None:
        if not later:
            later.append(await begin_generation(database, "other", far, 1_000_000))

    catalogue.between = between
    assert not await builder(database, catalogue).build_if_due()
    state = await read_state(database)
    assert (state.live, state.building, state.builder) == (None, later[0], "other")


async def test_a_generation_that_is_asked_for_during_a_build_comes_after_it(
    database: Database, catalogue: Catalogue
) -> None:
    async def between() -> None:
        catalogue.between = None
        await ask_for_generation(database)

    catalogue.between = between
    here = builder(database, catalogue)
    assert await here.build_if_due()
    first = (await read_state(database)).live
    assert await here.build_if_due()
    second = (await read_state(database)).live
    assert first is not None
    assert second == first + 1
    assert not await here.build_if_due()
