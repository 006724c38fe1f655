from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import pytest
from contract.v1.money import Money

from seam.call import ANONYMOUS, Principal, call_scope
from seam.contract import Code, StatusError
from seam.persistence import Database
from services.authentication.records.messagebus import (
    Account,
    UnknownAccount,
    UnknownAccountError,
)
from services.authentication.records.messagebus_mock import AuthenticationMock
from services.home.api import home_api
from services.home.api.home_api import HomeApi
from services.home.domain.layout import MOBILE, WEB
from services.home.persistence.sales import SalesRepository
from services.home.records.api import (
    Cart,
    Client,
    GetHomeRequest,
    Home,
    Part,
    PopularItem,
    Profile,
    RecentOrder,
)
from services.inventory.records.messagebus import (
    BatchGetItemsRequest,
    BatchGetItemsResponse,
    StockItem,
)
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records import messagebus as orders_messagebus
from services.orders.records.messagebus_mock import OrdersMock
from services.shopping_cart.records.messagebus import (
    CartContents,
    CartItem,
    UnknownCart,
    UnknownCartError,
)
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock

PLACED_AT = datetime(2026, 11, 24, tzinfo=UTC)
ANN = Principal(subject="ann", roles=frozenset(), token="of-ann")


def euros(cents: int) -> Money:
    return Money(currency_code="EUR", minor_units=cents)


def look_up(request: BatchGetItemsRequest) -> BatchGetItemsResponse:
    """Everything costs 2.50 EUR, but GONE, which is not sold; there is none of OUT."""
    return BatchGetItemsResponse(
        items=tuple(
            StockItem(
                sku=sku, name=f"Item {sku}", price=euros(250), available=0 if sku == "OUT" else 5
            )
            for sku in request.skus
            if sku != "GONE"
        )
    )


class Others:
    """Mocks of the other services, which all answer for Ann."""

    def __init__(self) -> None:
        self.authentication = AuthenticationMock()
        self.authentication.get_account.returns(Account(user_id="ann", email="ann@example.org"))
        self.inventory = InventoryMock()
        self.inventory.batch_get_items.answers(look_up)
        self.orders = OrdersMock()
        self.orders.list_recent_orders.answers(
            lambda request: orders_messagebus.RecentOrders(
                orders=tuple(
                    orders_messagebus.RecentOrder(
                        order_id=str(number),
                        state="CONFIRMED",
                        placed_at=PLACED_AT,
                        total=euros(100),
                    )
                    for number in range(request.most)
                )
            )
        )
        self.shopping_cart = ShoppingCartMock()
        self.shopping_cart.get_cart_contents.returns(
            CartContents(
                cart_id="mine",
                items=(CartItem(sku="A", quantity=2), CartItem(sku="B", quantity=1)),
                revision=1,
                orders_taken=0,
            )
        )

    def home(self, database: Database) -> HomeApi:
        return HomeApi(
            database,
            self.authentication.stub(),
            self.inventory.stub(),
            self.orders.stub(),
            self.shopping_cart.stub(),
        )


@pytest.fixture
def others() -> Others:
    """The other services."""
    return Others()


async def first_page(
    others: Others,
    database: Database,
    *,
    client: Client = Client.WEB,
    cart_id: str = "",
    who: Principal = ANN,
) -> Home:
    with call_scope(principal=who):
        return await others.home(database).get_home(GetHomeRequest(client=client, cart_id=cart_id))


async def sold(database: Database, **units: int) -> None:
    await SalesRepository(database).add(units)


async def test_the_first_page_of_who_is_signed_in_has_all_parts(
    others: Others, database: Database
) -> None:
    await sold(database, A=1, OUT=3)
    page = await first_page(others, database, cart_id="mine")
    assert page.profile == Profile(user_id="ann", email="ann@example.org")
    assert page.cart == Cart(cart_id="mine", units=3, total=euros(750))
    assert page.recent_orders[0] == RecentOrder(
        order_id="0", state="CONFIRMED", placed_at=PLACED_AT, total=euros(100)
    )
    assert page.popular_items == (
        PopularItem(sku="OUT", name="Item OUT", price=euros(250), in_stock=False),
        PopularItem(sku="A", name="Item A", price=euros(250), in_stock=True),
    )
    assert page.missing == ()


async def test_nobody_has_no_profile_and_no_orders_and_nobody_is_asked_for_them(
    others: Others, database: Database
) -> None:
    page = await first_page(others, database, who=ANONYMOUS)
    assert (page.profile, page.cart, page.recent_orders, page.missing) == (None, None, (), ())
    assert others.authentication.get_account.requests == []
    assert others.orders.list_recent_orders.requests == []
    assert others.shopping_cart.get_cart_contents.requests == []


async def test_a_phone_gets_less_than_the_web(others: Others, database: Database) -> None:
    await sold(database, **{f"SKU{number}": 1 for number in range(50)})
    for client, layout in ((Client.WEB, WEB), (Client.MOBILE, MOBILE)):
        page = await first_page(others, database, client=client)
        assert len(page.recent_orders) == layout.recent_orders
        assert len(page.popular_items) == layout.popular_items


async def test_what_is_sold_no_longer_is_not_popular_and_leaves_room_for_the_next(
    others: Others, database: Database
) -> None:
    await sold(database, GONE=9, **{f"SKU{number}": 1 for number in range(MOBILE.popular_items)})
    page = await first_page(others, database, client=Client.MOBILE)
    assert len(page.popular_items) == MOBILE.popular_items
    assert "GONE" not in {item.sku for item in page.popular_items}


async def test_a_cart_with_an_item_that_is_sold_no_longer_has_no_total(
    others: Others, database: Database
) -> None:
    items = (CartItem(sku="A", quantity=2), CartItem(sku="GONE", quantity=1))
    contents = CartContents(cart_id="mine", items=items, revision=1, orders_taken=0)
    others.shopping_cart.get_cart_contents.returns(contents)
    page = await first_page(others, database, cart_id="mine")
    assert page.cart == Cart(cart_id="mine", units=3, total=None)


async def test_what_is_not_there_is_absent_and_not_missing(
    others: Others, database: Database
) -> None:
    others.shopping_cart.get_cart_contents.raises(UnknownCartError(UnknownCart(cart_id="mine")))
    others.authentication.get_account.raises(UnknownAccountError(UnknownAccount()))
    page = await first_page(others, database, cart_id="mine")
    assert (page.cart, page.profile, page.missing) == (None, None, ())


def breaks(others: Others, part: Part) -> Any:
    """The method that a part comes from."""
    return {
        Part.PROFILE: others.authentication.get_account,
        Part.CART: others.shopping_cart.get_cart_contents,
        Part.RECENT_ORDERS: others.orders.list_recent_orders,
        Part.POPULAR_ITEMS: others.inventory.batch_get_items,
    }[part]


PARTS = (Part.PROFILE, Part.CART, Part.RECENT_ORDERS, Part.POPULAR_ITEMS)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED])
async def test_a_service_that_is_away_leaves_the_others_parts_and_is_named(
    others: Others, database: Database, part: Part, code: Code
) -> None:
    await sold(database, A=1)
    breaks(others, part).raises(StatusError(code, "away"))
    page = await first_page(others, database, cart_id="mine")
    # The prices of the cart come from where the items do.
    missing = {part} | ({Part.CART} if part is Part.POPULAR_ITEMS else set())
    assert set(page.missing) == missing
    assert list(page.missing) == sorted(page.missing, key=lambda each: each.value)
    there = {
        Part.PROFILE: page.profile is not None,
        Part.CART: page.cart is not None,
        Part.RECENT_ORDERS: page.recent_orders != (),
        Part.POPULAR_ITEMS: page.popular_items != (),
    }
    assert {each for each, found in there.items() if not found} == missing


async def test_a_service_that_does_not_answer_is_not_waited_for(
    others: Others, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_api, "PATIENCE", 0.05)

    async def never(_: object) -> Any:
        await asyncio.sleep(60)

    others.orders.list_recent_orders.answers(never)
    begun = perf_counter()
    page = await first_page(others, database)
    assert page.missing == (Part.RECENT_ORDERS,)
    assert page.profile is not None
    assert perf_counter() - begun < 30


async def test_a_defect_is_no_partial_answer(others: Others, database: Database) -> None:
    others.orders.list_recent_orders.raises(StatusError(Code.INTERNAL, "id 1"))
    with pytest.raises(StatusError) as refusal:
        await first_page(others, database)
    assert refusal.value.code is Code.INTERNAL
