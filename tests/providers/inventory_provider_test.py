"""What anybody who provides inventory owes by its contract, seen from outside, over gRPC.

Whatever the contract leaves to its provider is not asked for: the words of a reason, the order of
shortages, what a page token looks like.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import grpc
import pytest
from contract.v1.money import Money
from grpc_health.v1 import health_pb2, health_pb2_grpc
from inventory.v1 import api_pb2, api_pb2_grpc

from seam.contract import Code, InvalidArgumentError, StatusError
from services.inventory.records.api import (
    Category,
    GetItemRequest,
    InvalidPageToken,
    InvalidPageTokenError,
    Item,
    ItemNotFound,
    ItemNotFoundError,
    ListItemsRequest,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    QueryTooLong,
    QueryTooLongError,
    SetStockRequest,
)
from services.inventory.records.api_bus import InventoryApiStub, InventoryDeskApiStub
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    InvalidReservationError,
    OutOfStockError,
    ReleaseStockRequest,
    ReleaseStockResponse,
    ReservationConflict,
    ReservationConflictError,
    ReservationNotFound,
    ReservationNotFoundError,
    ReserveStockRequest,
    ReserveStockResponse,
    Shortage,
    StockItem,
    StockLine,
    UnknownItem,
    UnknownItemError,
)
from services.inventory.records.messagebus_bus import InventoryStub
from tests.providers.stock_room import Shelf, skus

TEAPOT = Item(
    sku="Ærø-1",
    name='Pot "Größe", blue',
    description="Line one.\nLine two: 🫖",
    category=Category.KITCHEN,
    price=Money(currency_code="EUR", minor_units=999_999_999),
    stock=1_000_000_000,
)


@pytest.fixture
def reservation_id() -> str:
    return f"r-{uuid4()}"


def lines(shelf: Shelf, **quantities: int) -> tuple[StockLine, ...]:
    return tuple(
        StockLine(sku=shelf.sku(letter), quantity=count) for letter, count in quantities.items()
    )


def request(reservation_id: str, *wanted: StockLine) -> ReserveStockRequest:
    return ReserveStockRequest(reservation_id=reservation_id, lines=wanted)


async def stock(inventory: InventoryStub, shelf: Shelf) -> tuple[int, ...]:
    answer = await inventory.batch_get_items(BatchGetItemsRequest(skus=(shelf.a, shelf.b, shelf.c)))
    return tuple(item.available for item in answer.items)


def listing(query: str = "", size: int = 0, token: str = "") -> ListItemsRequest:
    return ListItemsRequest(query=query, page_size=size, page_token=token)


async def pages(api: InventoryApiStub, query: str, size: int) -> list[list[str]]:
    found = []
    token = ""
    while True:
        answer = await api.list_items(listing(query, size, token))
        found.append([item.sku for item in answer.items])
        token = answer.next_page_token
        if not token:
            return found


# Looking items up


async def test_a_batch_has_items_in_the_order_in_which_they_are_named_first(
    inventory: InventoryStub, shelf: Shelf
) -> None:
    answer = await inventory.batch_get_items(
        BatchGetItemsRequest(skus=(shelf.c, "nothing", shelf.a, shelf.c, shelf.a.lower()))
    )
    assert [item.sku for item in answer.items] == [shelf.c, shelf.a]
    price = Money(currency_code="EUR", minor_units=150)
    expected = StockItem(sku=shelf.a, name=f"{shelf.kind} A", price=price, available=5)
    assert answer.items[1] == expected


async def test_a_batch_of_nothing_is_answered_with_nothing(inventory: InventoryStub) -> None:
    assert (await inventory.batch_get_items(BatchGetItemsRequest(skus=()))).items == ()


async def test_the_largest_batch_is_answered_and_a_larger_one_refused(
    inventory: InventoryStub,
) -> None:
    most = tuple(f"SKU-{number}" for number in range(999))
    answer = await inventory.batch_get_items(BatchGetItemsRequest(skus=(*most, TEAPOT.sku)))
    assert [item.sku for item in answer.items] == [TEAPOT.sku]
    with pytest.raises(InvalidArgumentError) as caught:
        await inventory.batch_get_items(BatchGetItemsRequest(skus=(*most, "A", "B")))
    assert caught.value.field.path == "skus"


# Holding stock and giving it back


async def test_reserved_stock_is_no_longer_available(
    inventory: InventoryStub, api: InventoryApiStub, shelf: Shelf, reservation_id: str
) -> None:
    answer = await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=2, B=3)))
    assert answer == ReserveStockResponse(reservation_id=reservation_id)
    assert await stock(inventory, shelf) == (3, 0, 0)
    assert (await api.get_item(GetItemRequest(sku=shelf.a))).stock == 3


async def test_the_same_reservation_again_changes_nothing_and_answers_the_same(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    wanted = lines(shelf, A=2, B=1)
    first = await inventory.reserve_stock(request(reservation_id, *wanted))
    assert await inventory.reserve_stock(request(reservation_id, *wanted)) == first
    assert await inventory.reserve_stock(request(reservation_id, *reversed(wanted))) == first
    assert await stock(inventory, shelf) == (3, 2, 0)


@pytest.mark.parametrize("other", [{"A": 1}, {"A": 2, "B": 1}, {"B": 2}, {"X": 1}])
async def test_an_id_cannot_be_used_again_for_other_lines(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str, other: dict[str, int]
) -> None:
    await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=2)))
    with pytest.raises(ReservationConflictError) as caught:
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, **other)))
    assert caught.value.record == ReservationConflict(reservation_id=reservation_id)
    assert await stock(inventory, shelf) == (3, 3, 0)


async def test_shortages_are_all_told_and_nothing_is_reserved(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    with pytest.raises(OutOfStockError) as caught:
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, C=1, A=5, B=4)))
    shortages = sorted(caught.value.record.shortages, key=lambda shortage: shortage.sku)
    assert shortages == [
        Shortage(sku=shelf.b, requested=4, available=3),
        Shortage(sku=shelf.c, requested=1, available=0),
    ]
    assert await stock(inventory, shelf) == (5, 3, 0)


async def test_an_unknown_item_is_named_and_nothing_is_reserved(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    with pytest.raises(UnknownItemError) as caught:
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=1, X=1)))
    assert caught.value.record == UnknownItem(sku=shelf.sku("X"))
    assert await stock(inventory, shelf) == (5, 3, 0)


async def test_an_id_that_was_refused_can_be_used_when_the_stock_suffices(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    with pytest.raises(OutOfStockError):
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=6)))
    with pytest.raises(UnknownItemError):
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, X=1)))
    await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=5)))
    assert await stock(inventory, shelf) == (0, 3, 0)


@pytest.mark.parametrize("length", [1, 64])
async def test_an_id_has_1_to_64_characters_of_any_script(
    inventory: InventoryStub, shelf: Shelf, length: int
) -> None:
    # Some languages count this one as two.
    reservation_id = "𝄞" * length
    answer = await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=1)))
    assert answer.reservation_id == reservation_id


@pytest.mark.parametrize(
    ("reservation_id", "quantities", "field"),
    [
        ("", {"A": 1}, "reservationId"),
        ("r" * 65, {"A": 1}, "reservationId"),
        ("r", {}, "lines"),
        ("r", {"A": 1, "B": 0}, "lines[1].quantity"),
        ("r", {"A": -3}, "lines[0].quantity"),
        ("r", {"X": 0}, "lines[0].quantity"),
        ("r", {f"{number}": 1 for number in range(1001)}, "lines"),
    ],
)
async def test_what_cannot_be_a_reservation_is_refused_with_the_field_at_fault(
    inventory: InventoryStub,
    shelf: Shelf,
    reservation_id: str,
    quantities: dict[str, int],
    field: str,
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, **quantities)))
    assert caught.value.field.path == field
    assert caught.value.field.reason
    assert await stock(inventory, shelf) == (5, 3, 0)


async def test_an_item_has_one_line_at_most(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    twice = (*lines(shelf, A=1, B=1), *lines(shelf, A=1))
    with pytest.raises(InvalidReservationError) as caught:
        await inventory.reserve_stock(request(reservation_id, *twice))
    assert caught.value.record.field == "lines[2].sku"
    assert await stock(inventory, shelf) == (5, 3, 0)


async def test_released_stock_can_be_reserved_by_others(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=5)))
    answer = await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    assert answer == ReleaseStockResponse()
    await inventory.reserve_stock(request(f"{reservation_id}-other", *lines(shelf, A=5)))
    assert await stock(inventory, shelf) == (0, 3, 0)


async def test_releasing_again_gives_nothing_back_again(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=2)))
    for _ in range(3):
        await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    assert await stock(inventory, shelf) == (5, 3, 0)


async def test_a_released_id_names_its_reservation_for_ever(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=2)))
    await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    with pytest.raises(ReservationConflictError):
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=2)))
    assert await stock(inventory, shelf) == (5, 3, 0)


@pytest.mark.parametrize("reservation_id", ["", "nobody", "r" * 65])
async def test_what_was_never_reserved_cannot_be_released(
    inventory: InventoryStub, reservation_id: str
) -> None:
    with pytest.raises(ReservationNotFoundError) as caught:
        await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    assert caught.value.record == ReservationNotFound(reservation_id=reservation_id)


async def test_what_was_released_before_it_was_reserved_can_never_be(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    """The call that reserves was on its way for longer than its caller waited."""
    with pytest.raises(ReservationNotFoundError):
        await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    with pytest.raises(ReservationConflictError):
        await inventory.reserve_stock(request(reservation_id, *lines(shelf, A=2)))
    await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    assert await stock(inventory, shelf) == (5, 3, 0)


async def test_many_who_reserve_the_same_item_at_once_never_get_more_than_there_is(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    outcomes = await asyncio.gather(
        *(
            inventory.reserve_stock(request(f"{reservation_id}-{number}", *lines(shelf, A=1)))
            for number in range(20)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ReserveStockResponse) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, OutOfStockError) for outcome in outcomes) == 15
    assert await stock(inventory, shelf) == (0, 3, 0)


async def test_one_id_that_is_used_many_times_at_once_takes_stock_once(
    inventory: InventoryStub, shelf: Shelf, reservation_id: str
) -> None:
    wanted = request(reservation_id, *lines(shelf, A=2, B=1))
    answers = await asyncio.gather(*(inventory.reserve_stock(wanted) for _ in range(12)))
    assert set(answers) == {ReserveStockResponse(reservation_id=reservation_id)}
    assert await stock(inventory, shelf) == (3, 2, 0)


# Browsing


async def test_an_item_is_shown_whole(api: InventoryApiStub) -> None:
    assert await api.get_item(GetItemRequest(sku=TEAPOT.sku)) == TEAPOT


@pytest.mark.parametrize("sku", ["", "ærø-1", "Ærø-1 ", "SHELF"])
async def test_an_unknown_sku_is_not_found(api: InventoryApiStub, sku: str) -> None:
    with pytest.raises(ItemNotFoundError) as caught:
        await api.get_item(GetItemRequest(sku=sku))
    assert caught.value.record == ItemNotFound(sku=sku)


async def test_a_page_has_50_items_unless_asked_otherwise(api: InventoryApiStub) -> None:
    answer = await api.list_items(listing())
    assert [item.sku for item in answer.items] == skus()[:50]
    assert answer.next_page_token


@pytest.mark.parametrize("size", [9, 121, 180, 200])
async def test_pages_of_any_size_put_together_are_the_whole_catalogue(
    api: InventoryApiStub, size: int
) -> None:
    found = await pages(api, "", size)
    assert [sku for page in found for sku in page] == [*skus(), TEAPOT.sku]
    assert {len(page) for page in found[:-1]} <= {size}
    assert found[-1], "a full last page is not followed by an empty one"


async def test_the_page_size_may_change_between_pages(api: InventoryApiStub) -> None:
    first = await api.list_items(listing(size=10))
    second = await api.list_items(listing(size=3, token=first.next_page_token))
    assert [item.sku for item in second.items] == skus()[10:13]


@pytest.mark.parametrize(
    "query", ["größe", "GRÖSSE blue", "pot  KITCHEN", "ÆRØ", "grö bl", '"blue"', "line\ttwo: one."]
)
async def test_a_search_finds_the_beginning_of_every_word_in_any_case_and_order(
    api: InventoryApiStub, query: str
) -> None:
    assert await pages(api, query, 10) == [[TEAPOT.sku]]


@pytest.mark.parametrize(
    "query", ["unicorn", "pot unicorn", "%", "_", ".*", "🫖", "pot blue home", "öße"]
)
async def test_a_search_without_matches_is_one_empty_page(
    api: InventoryApiStub, query: str
) -> None:
    assert await pages(api, query, 10) == [[]]


async def test_a_search_is_paged_like_the_catalogue(api: InventoryApiStub) -> None:
    found = await pages(api, "ODD  stands", 50)
    assert [len(page) for page in found] == [50, 50, 50, 30]
    odd = [sku for sku in skus() if Shelf(int(sku.split("-")[1])).kind == "Odd"]
    assert [sku for page in found for sku in page] == odd


@pytest.mark.parametrize("query", ["   ", "\t\n"])
async def test_a_query_without_words_matches_everything(api: InventoryApiStub, query: str) -> None:
    assert len((await api.list_items(listing(query, 200))).items) == 200


@pytest.mark.parametrize("query", ["a " * 33, "a" * 1_001, "a " * 3_000])
async def test_a_query_for_too_much_is_refused(api: InventoryApiStub, query: str) -> None:
    with pytest.raises(QueryTooLongError) as caught:
        await api.list_items(listing(query))
    assert caught.value.record == QueryTooLong(maximum_words=32, maximum_characters=1_000)


async def test_a_query_of_the_longest_length_is_answered(api: InventoryApiStub) -> None:
    assert (await api.list_items(listing("a " * 32))).items is not None
    assert (await api.list_items(listing("\U0001f4a1" * 1_000))).items == ()


@pytest.mark.parametrize("size", [-1, 201, 2**31 - 1, -(2**31)])
async def test_a_page_size_out_of_range_is_refused(api: InventoryApiStub, size: int) -> None:
    with pytest.raises(PageSizeOutOfRangeError) as caught:
        await api.list_items(listing(size=size))
    assert caught.value.record == PageSizeOutOfRange(page_size=size, maximum=200)


async def test_a_token_of_another_query_is_refused(api: InventoryApiStub) -> None:
    token = (await api.list_items(listing("odd", 10))).next_page_token
    with pytest.raises(InvalidPageTokenError) as caught:
        await api.list_items(listing("even", 10, token))
    assert caught.value.record == InvalidPageToken(page_token=token)


@pytest.mark.parametrize("token", ["2", "SHELF-001-A", "ß", "====", "A" * 2000])
async def test_a_made_up_token_is_refused(api: InventoryApiStub, token: str) -> None:
    with pytest.raises(InvalidPageTokenError) as caught:
        await api.list_items(listing(token=token))
    assert caught.value.record == InvalidPageToken(page_token=token)


# Being a process of a topology


async def test_an_error_has_the_code_and_the_words_of_the_contract(
    connection: grpc.aio.Channel,
) -> None:
    """A client without our library may look at nothing else."""
    stub = api_pb2_grpc.InventoryApiStub(connection)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetItem(api_pb2.GetItemRequest(sku="EMPTY"), timeout=5)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "There is no item with the SKU 'EMPTY'."


async def test_stock_is_set_by_nobody_who_has_not_signed_in(
    desk: InventoryDeskApiStub, inventory: InventoryStub, shelf: Shelf
) -> None:
    with pytest.raises(StatusError) as caught:
        await desk.set_stock(SetStockRequest(sku=shelf.a, stock=9, expected_stock=5))
    assert caught.value.code is Code.UNAUTHENTICATED
    assert await stock(inventory, shelf) == (5, 3, 0)


@pytest.mark.parametrize(
    "service",
    ["", "inventory.v1.Inventory", "inventory.v1.InventoryApi", "inventory.v1.InventoryDeskApi"],
)
async def test_health_is_told_of_the_process_and_of_each_service(
    connection: grpc.aio.Channel, service: str
) -> None:
    health = health_pb2_grpc.HealthStub(connection)
    answer = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
