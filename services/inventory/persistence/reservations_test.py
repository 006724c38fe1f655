from __future__ import annotations

import pytest
from contract.v1.money import Money
from sqlalchemy.exc import IntegrityError

from seam.persistence import Database
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.reservations import ReservationRepository
from services.inventory.records.api import Category, Item
from services.inventory.records.messagebus import Shortage, StockLine


@pytest.fixture
async def shop(database: Database) -> Database:
    """A database with 5 of A, 3 of B and 0 of C."""
    async with database.transaction() as transaction:
        await ItemRepository(transaction).put(
            [
                Item(
                    sku=sku,
                    name=sku,
                    description="",
                    category=Category.HOME,
                    price=Money(currency_code="EUR", minor_units=100),
                    stock=stock,
                )
                for sku, stock in (("A", 5), ("B", 3), ("C", 0))
            ]
        )
    return database


def lines(**quantities: int) -> tuple[StockLine, ...]:
    return tuple(StockLine(sku=sku, quantity=quantity) for sku, quantity in quantities.items())


async def stock(database: Database) -> dict[str, int]:
    found = await ItemRepository(database).stock(["A", "B", "C"])
    return {sku: item.available for sku, item in found.items()}


async def reserve(database: Database, reservation_id: str, **quantities: int) -> None:
    async with database.transaction() as transaction:
        reservations = ReservationRepository(transaction)
        assert await reservations.add(reservation_id)
        assert await reservations.take(reservation_id, lines(**quantities)) == ()


async def test_taking_moves_units_from_stock_to_the_reservation(shop: Database) -> None:
    await reserve(shop, "r", B=3, A=2)
    assert await stock(shop) == {"A": 3, "B": 0, "C": 0}
    assert await ReservationRepository(shop).lines("r") == lines(A=2, B=3)


async def test_an_id_can_be_added_once(shop: Database) -> None:
    async with shop.transaction() as transaction:
        reservations = ReservationRepository(transaction)
        assert await reservations.add("r")
        assert not await reservations.add("r")
        assert await reservations.add("R")
    async with shop.transaction() as transaction:
        assert not await ReservationRepository(transaction).add("r")


async def test_an_id_that_was_undone_can_be_added_again(shop: Database) -> None:
    async def fail() -> None:
        async with shop.transaction() as transaction:
            await ReservationRepository(transaction).add("r")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with shop.transaction() as transaction:
        assert await ReservationRepository(transaction).add("r")


async def test_every_item_that_is_short_is_told_in_the_order_of_the_skus(shop: Database) -> None:
    async with shop.transaction() as transaction:
        reservations = ReservationRepository(transaction)
        await reservations.add("r")
        assert await reservations.take("r", lines(nothing=1, C=1, B=4, A=5)) == (
            Shortage(sku="B", requested=4, available=3),
            Shortage(sku="C", requested=1, available=0),
            Shortage(sku="nothing", requested=1, available=0),
        )
        assert await reservations.lines("r") == ()


async def test_releasing_gives_the_stock_back_once(shop: Database) -> None:
    await reserve(shop, "r", A=5, B=1)
    for _ in range(2):
        async with shop.transaction() as transaction:
            assert await ReservationRepository(transaction).release("r")
        assert await stock(shop) == {"A": 5, "B": 3, "C": 0}
    assert await ReservationRepository(shop).lines("r") is None


async def test_releasing_one_reservation_leaves_the_others(shop: Database) -> None:
    await reserve(shop, "one", A=2)
    await reserve(shop, "other", A=2)
    async with shop.transaction() as transaction:
        await ReservationRepository(transaction).release("one")
    assert await stock(shop) == {"A": 3, "B": 3, "C": 0}
    assert await ReservationRepository(shop).lines("other") == lines(A=2)


@pytest.mark.parametrize("reservation_id", ["", "r", "r\0"])
async def test_what_was_never_reserved_cannot_be_released(
    shop: Database, reservation_id: str
) -> None:
    async with shop.transaction() as transaction:
        assert not await ReservationRepository(transaction).release(reservation_id)


async def test_stock_that_was_imported_meanwhile_is_added_to_on_release(shop: Database) -> None:
    await reserve(shop, "r", A=5)
    async with shop.transaction() as transaction:
        items = ItemRepository(transaction)
        old = await items.find("A")
        assert old is not None
        assert old.stock == 0
        await items.put(
            [
                Item(
                    sku=old.sku,
                    name=old.name,
                    description=old.description,
                    category=old.category,
                    price=old.price,
                    stock=100,
                )
            ]
        )
    async with shop.transaction() as transaction:
        await ReservationRepository(transaction).release("r")
    assert await stock(shop) == {"A": 105, "B": 3, "C": 0}


async def test_the_database_itself_refuses_stock_below_zero(shop: Database) -> None:
    with pytest.raises(IntegrityError, match="stock_is_not_negative"):
        async with shop.transaction() as transaction:
            await ItemRepository(transaction).put(
                [
                    Item(
                        sku="A",
                        name="A",
                        description="",
                        category=Category.HOME,
                        price=Money(currency_code="EUR", minor_units=1),
                        stock=-1,
                    )
                ]
            )
