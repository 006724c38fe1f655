from __future__ import annotations

import asyncio

import pytest
from contract.v1.money import Money

from seam.contract.errors import ContractError, InvalidArgumentError
from seam.persistence import Database
from seam.testing import strict_channel
from services.inventory.messagebus.inventory import Inventory
from services.inventory.persistence.items import ItemRepository
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    ExportItemsRequest,
    InvalidReservation,
    InvalidReservationError,
    OutOfStock,
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
from services.inventory.records.messagebus_bus import InventoryStub, register_inventory


@pytest.fixture
async def inventory(database: Database) -> InventoryStub:
    """Inventory as other services reach it, with 5 of A, 3 of B and 0 of C."""
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(
            [
                Item(
                    sku=sku,
                    name=f"Item {sku}",
                    description="",
                    category=Category.HOME,
                    price=Money(currency_code="EUR", minor_units=100),
                    stock=stock,
                )
                for sku, stock in (("A", 5), ("B", 3), ("C", 0))
            ]
        )
    channel = strict_channel(register_inventory(Inventory(database)))
    return InventoryStub(channel)


def request(reservation_id: str, **quantities: int) -> ReserveStockRequest:
    return ReserveStockRequest(
        reservation_id=reservation_id,
        lines=tuple(StockLine(sku=sku, quantity=count) for sku, count in quantities.items()),
    )


async def stock(inventory: InventoryStub) -> dict[str, int]:
    answer = await inventory.batch_get_items(BatchGetItemsRequest(skus=("A", "B", "C")))
    return {item.sku: item.available for item in answer.items}


async def test_items_come_in_the_order_in_which_they_are_named_first(
    inventory: InventoryStub,
) -> None:
    answer = await inventory.batch_get_items(
        BatchGetItemsRequest(skus=("C", "nothing", "A", "C", "A\0"))
    )
    assert [item.sku for item in answer.items] == ["C", "A"]
    assert answer.items[1] == StockItem(
        sku="A", name="Item A", price=Money(currency_code="EUR", minor_units=100), available=5
    )


async def test_a_batch_of_nothing_is_answered_with_nothing(inventory: InventoryStub) -> None:
    assert (await inventory.batch_get_items(BatchGetItemsRequest(skus=()))).items == ()


async def test_the_largest_batch_is_answered_and_a_larger_one_refused(
    inventory: InventoryStub,
) -> None:
    most = tuple(f"SKU-{number}" for number in range(999))
    answer = await inventory.batch_get_items(BatchGetItemsRequest(skus=(*most, "A")))
    assert [item.sku for item in answer.items] == ["A"]
    with pytest.raises(InvalidArgumentError) as caught:
        await inventory.batch_get_items(BatchGetItemsRequest(skus=(*most, "A", "B")))
    assert str(caught.value.field) == "skus: expected at most 1000 items"


async def test_reserved_stock_is_no_longer_available(inventory: InventoryStub) -> None:
    answer = await inventory.reserve_stock(request("r", A=2, B=3))
    assert answer == ReserveStockResponse(reservation_id="r")
    assert await stock(inventory) == {"A": 3, "B": 0, "C": 0}


async def test_the_same_reservation_again_changes_nothing_and_answers_the_same(
    inventory: InventoryStub,
) -> None:
    first = await inventory.reserve_stock(request("r", A=2, B=1))
    assert await inventory.reserve_stock(request("r", A=2, B=1)) == first
    assert await inventory.reserve_stock(request("r", B=1, A=2)) == first
    assert await stock(inventory) == {"A": 3, "B": 2, "C": 0}


@pytest.mark.parametrize("lines", [{"A": 1}, {"A": 2, "B": 1}, {"B": 2}, {"nothing": 1}])
async def test_an_id_cannot_be_used_again_for_other_lines(
    inventory: InventoryStub, lines: dict[str, int]
) -> None:
    await inventory.reserve_stock(request("r", A=2))
    with pytest.raises(ReservationConflictError) as caught:
        await inventory.reserve_stock(request("r", **lines))
    assert caught.value.record == ReservationConflict(reservation_id="r")
    assert await stock(inventory) == {"A": 3, "B": 3, "C": 0}


async def test_shortages_are_all_told_and_nothing_is_reserved(inventory: InventoryStub) -> None:
    with pytest.raises(OutOfStockError) as caught:
        await inventory.reserve_stock(request("r", C=1, A=5, B=4))
    assert caught.value.record == OutOfStock(
        shortages=(
            Shortage(sku="B", requested=4, available=3),
            Shortage(sku="C", requested=1, available=0),
        )
    )
    assert await stock(inventory) == {"A": 5, "B": 3, "C": 0}


async def test_an_unknown_item_is_named_and_nothing_is_reserved(inventory: InventoryStub) -> None:
    for sku in ("nothing", "A\0"):
        with pytest.raises(UnknownItemError) as caught:
            await inventory.reserve_stock(request("r", A=1, **{sku: 1}))
        assert caught.value.record == UnknownItem(sku=sku)
    assert await stock(inventory) == {"A": 5, "B": 3, "C": 0}


async def test_an_id_that_was_refused_can_be_used_when_the_stock_suffices(
    inventory: InventoryStub,
) -> None:
    with pytest.raises(OutOfStockError):
        await inventory.reserve_stock(request("r", A=6))
    with pytest.raises(UnknownItemError):
        await inventory.reserve_stock(request("r", nothing=1))
    await inventory.reserve_stock(request("r", A=5))
    assert await stock(inventory) == {"A": 0, "B": 3, "C": 0}


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (request("", A=1), "reservationId: expected 1 to 64 characters"),
        (request("r" * 65, A=1), "reservationId: expected 1 to 64 characters"),
        (request("r"), "lines: expected 1 to 1000 items"),
        (request("r", **{f"A{n}": 1 for n in range(1001)}), "lines: expected 1 to 1000 items"),
        (request("r", A=1, B=0), "lines[1].quantity: expected at least 1"),
        (request("r", A=-3), "lines[0].quantity: expected at least 1"),
        (request("r", **{"A" * 65: 1}), "lines[0].sku: expected at most 64 characters"),
    ],
)
async def test_a_field_that_no_reservation_has_is_refused(
    inventory: InventoryStub, asked: ReserveStockRequest, refused: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await inventory.reserve_stock(asked)
    assert str(caught.value.field) == refused
    assert await stock(inventory) == {"A": 5, "B": 3, "C": 0}


async def test_the_largest_reservation_is_held(inventory: InventoryStub) -> None:
    lines = {f"SKU-{number}": 1 for number in range(1000)}
    with pytest.raises(UnknownItemError):
        await inventory.reserve_stock(request("r" * 64, **lines))


async def test_an_item_that_has_two_lines_is_no_reservation(inventory: InventoryStub) -> None:
    lines = request("r", A=1, B=1).lines
    with pytest.raises(InvalidReservationError) as caught:
        await inventory.reserve_stock(
            ReserveStockRequest(reservation_id="r", lines=(*lines, lines[0]))
        )
    assert caught.value.record == InvalidReservation(
        field="lines[2].sku", reason="'A' has a line already"
    )


async def test_released_stock_can_be_reserved_by_others(inventory: InventoryStub) -> None:
    await inventory.reserve_stock(request("r", A=5))
    answer = await inventory.release_stock(ReleaseStockRequest(reservation_id="r"))
    assert answer == ReleaseStockResponse()
    await inventory.reserve_stock(request("other", A=5))
    assert await stock(inventory) == {"A": 0, "B": 3, "C": 0}


async def test_releasing_again_gives_nothing_back_again(inventory: InventoryStub) -> None:
    await inventory.reserve_stock(request("r", A=2))
    for _ in range(3):
        await inventory.release_stock(ReleaseStockRequest(reservation_id="r"))
    assert await stock(inventory) == {"A": 5, "B": 3, "C": 0}


async def test_a_released_id_names_its_reservation_for_ever(inventory: InventoryStub) -> None:
    await inventory.reserve_stock(request("r", A=2))
    await inventory.release_stock(ReleaseStockRequest(reservation_id="r"))
    with pytest.raises(ReservationConflictError):
        await inventory.reserve_stock(request("r", A=2))


@pytest.mark.parametrize("reservation_id", ["", "nobody", "r\0", "r" * 65])
async def test_what_was_never_reserved_cannot_be_released(
    inventory: InventoryStub, reservation_id: str
) -> None:
    with pytest.raises(ReservationNotFoundError) as caught:
        await inventory.release_stock(ReleaseStockRequest(reservation_id=reservation_id))
    assert caught.value.record == ReservationNotFound(reservation_id=reservation_id)


async def test_many_who_reserve_the_same_item_at_once_never_get_more_than_there_is(
    inventory: InventoryStub,
) -> None:
    outcomes = await asyncio.gather(
        *(inventory.reserve_stock(request(f"r{number}", A=1)) for number in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ReserveStockResponse) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, OutOfStockError) for outcome in outcomes) == 15
    assert await stock(inventory) == {"A": 0, "B": 3, "C": 0}


async def test_one_id_that_is_used_many_times_at_once_takes_stock_once(
    inventory: InventoryStub,
) -> None:
    answers = await asyncio.gather(
        *(inventory.reserve_stock(request("r", A=2, B=1)) for _ in range(12))
    )
    assert set(answers) == {ReserveStockResponse(reservation_id="r")}
    assert await stock(inventory) == {"A": 3, "B": 2, "C": 0}


async def test_one_id_for_different_lines_at_once_holds_the_lines_of_one_of_them(
    inventory: InventoryStub,
) -> None:
    outcomes = await asyncio.gather(
        inventory.reserve_stock(request("r", A=2)),
        inventory.reserve_stock(request("r", B=1)),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "ReservationConflictError",
        "ReserveStockResponse",
    ]
    assert await stock(inventory) in ({"A": 3, "B": 3, "C": 0}, {"A": 5, "B": 2, "C": 0})


async def test_one_reservation_that_is_released_many_times_at_once_is_given_back_once(
    inventory: InventoryStub,
) -> None:
    await inventory.reserve_stock(request("r", A=4))
    await asyncio.gather(
        *(inventory.release_stock(ReleaseStockRequest(reservation_id="r")) for _ in range(12))
    )
    assert await stock(inventory) == {"A": 5, "B": 3, "C": 0}


async def test_reservations_that_name_the_same_items_in_opposite_orders_do_not_deadlock(
    database: Database, inventory: InventoryStub
) -> None:
    skus = [f"SKU-{number:02}" for number in range(40)]
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(
            [
                Item(
                    sku=sku,
                    name=sku,
                    description="",
                    category=Category.HOME,
                    price=Money(currency_code="EUR", minor_units=100),
                    stock=12,
                )
                for sku in skus
            ]
        )

    async def hold_and_give_back(number: int) -> None:
        ordered = skus if number % 2 else skus[::-1]
        await inventory.reserve_stock(request(f"r{number}", **dict.fromkeys(ordered, 1)))
        if number >= 6:
            await inventory.release_stock(ReleaseStockRequest(reservation_id=f"r{number}"))

    await asyncio.gather(*(hold_and_give_back(number) for number in range(12)))
    answer = await inventory.batch_get_items(BatchGetItemsRequest(skus=tuple(skus)))
    assert [item.available for item in answer.items] == [6] * 40


async def test_errors_reach_the_caller_as_the_contract_declares_them(
    inventory: InventoryStub,
) -> None:
    with pytest.raises(ContractError, match="FAILED_PRECONDITION: The stock does not cover"):
        await inventory.reserve_stock(request("r", C=1))


async def test_the_catalogue_is_read_page_by_page(inventory: InventoryStub) -> None:
    first = await inventory.export_items(ExportItemsRequest(after_sku="", page_size=1))
    (item,) = first.items
    rest = await inventory.export_items(ExportItemsRequest(after_sku=item.sku, page_size=200))
    assert [each.sku for each in rest.items] == sorted(each.sku for each in rest.items)
    assert item.sku < rest.items[0].sku
    assert item.version == 1


@pytest.mark.parametrize("size", [-1, 0, 201])
async def test_a_page_of_the_catalogue_that_is_too_large_or_empty_is_refused(
    inventory: InventoryStub, size: int
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await inventory.export_items(ExportItemsRequest(after_sku="", page_size=size))
    assert str(caught.value.field) == "pageSize: expected 1 to 200"
