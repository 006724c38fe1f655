from __future__ import annotations

from contract.v1.money import Money

from seam.persistence import Database
from services.home.messagebus.sold_items import count_sold_items
from services.home.persistence.sales import SalesRepository
from services.orders.records.messagebus import ConfirmedLine, OrderConfirmed


def confirmed(**quantities: int) -> OrderConfirmed:
    return OrderConfirmed(
        order_id="1",
        cart_id="2",
        cart_revision=1,
        lines=tuple(ConfirmedLine(sku=sku, quantity=each) for sku, each in quantities.items()),
        total=Money(currency_code="EUR", minor_units=100),
    )


async def test_units_of_all_orders_count_and_the_best_come_first(database: Database) -> None:
    for order in (confirmed(A=2, B=1), confirmed(B=5), confirmed(C=3)):
        async with database.transaction() as transaction:
            await count_sold_items(order, transaction)
    sales = SalesRepository(database)
    assert await sales.best(10) == ["B", "C", "A"]
    assert await sales.best(2) == ["B", "C"]


async def test_an_order_that_names_an_item_in_two_lines_counts_both(database: Database) -> None:
    twice = confirmed(A=1)
    event = OrderConfirmed(
        order_id="1",
        cart_id="2",
        cart_revision=1,
        lines=(*twice.lines, *twice.lines),
        total=twice.total,
    )
    async with database.transaction() as transaction:
        await count_sold_items(event, transaction)
        await count_sold_items(confirmed(B=1), transaction)
    assert await SalesRepository(database).best(10) == ["A", "B"]


async def test_nothing_is_popular_in_a_new_shop(database: Database) -> None:
    assert await SalesRepository(database).best(10) == []
