"""The first page as clients see it, in a shop that is new."""

from __future__ import annotations

import httpx

from seam.http import application
from seam.persistence import Database
from seam.testing import strict_channel
from services.authentication.records.messagebus_mock import AuthenticationMock
from services.home.api.home_api import HomeApi
from services.home.records.api_bus import register_home_api
from services.home.records.api_routes import HOME_API_HTTP
from services.inventory.records.messagebus_mock import InventoryMock
from services.orders.records.messagebus_mock import OrdersMock
from services.shopping_cart.records.messagebus import UnknownCart, UnknownCartError
from services.shopping_cart.records.messagebus_mock import ShoppingCartMock


async def ready() -> dict[str, bool]:
    return {"ready": True}


async def test_a_new_shop_has_a_first_page_for_every_client(database: Database) -> None:
    carts = ShoppingCartMock()
    carts.get_cart_contents.raises(UnknownCartError(UnknownCart(cart_id="x")))
    others = (AuthenticationMock().stub(), InventoryMock().stub(), OrdersMock().stub())
    channel = strict_channel(register_home_api(HomeApi(database, *others, carts.stub())))
    app = application([HOME_API_HTTP], lambda _: channel, ready, title="test")
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for query in ("", "?client=CLIENT_WEB", "?client=CLIENT_MOBILE&cartId=x"):
            answer = await client.get(f"/v1/home{query}")
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"recentOrders": [], "popularItems": [], "missing": []}
        refused = await client.get("/v1/home?client=TELETEXT")
        assert refused.status_code == 400
