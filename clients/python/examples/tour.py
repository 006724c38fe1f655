"""A tour of the shop with everything that the client offers: `python tour.py URL GRPC_ADDRESS`."""

from __future__ import annotations

import asyncio
import sys
import uuid

import grpc
from inventory.v1 import api_pb2, api_pb2_grpc

from shop_client import ApiError, AsyncClient, Client, Code
from shop_client.customer_chat import (
    EntryKind,
    Message,
    TalkInChatRequest,
    TalkInChatResponseWhatEntry,
)
from shop_client.inventory import Item, ItemNotFoundError
from shop_client.shopping_cart import Availability, OutOfStockError


def browse(client: Client) -> list[Item]:
    """See the whole catalogue, page by page; be refused what there is not."""
    items = list(client.inventory.iter_items(page_size=50))
    assert [item.sku for item in items] == sorted({item.sku for item in items})
    assert client.inventory.get_item(sku=items[0].sku) == items[0]
    try:
        client.inventory.get_item(sku="no/such sku?")
    except ItemNotFoundError as error:
        assert error.record.sku == "no/such sku?"
        assert (error.code, error.status) == (Code.NOT_FOUND, 404)
    else:
        raise AssertionError("found what there is not")
    return items


def fill_a_cart(client: Client, item: Item) -> str:
    """Ask for too much, then for less; give the cart."""
    cart = client.shopping_cart.create_cart()
    try:
        client.shopping_cart.set_item_quantity(
            cart_id=cart.cart_id, sku=item.sku, quantity=item.stock + 1
        )
    except OutOfStockError as error:
        assert error.record.available == item.stock
    else:
        raise AssertionError("there was more than there is")
    cart = client.shopping_cart.set_item_quantity(cart_id=cart.cart_id, sku=item.sku, quantity=1)
    (line,) = cart.lines
    assert line.availability is Availability.IN_STOCK
    assert line.unit_price == item.price
    return cart.cart_id


def buy(client: Client, cart_id: str) -> None:
    """Buy twice by one key, which is one order."""
    key = uuid.uuid4().hex
    order = client.orders.place_order(cart_id=cart_id, idempotency_key=key)
    again = client.orders.place_order(cart_id=cart_id, idempotency_key=key)
    assert order.order_id == again.order_id
    assert order.placed_at.tzinfo is not None
    assert [each.order_id for each in client.orders.iter_orders(page_size=1)] == [order.order_id]


def stay_signed_in(client: Client) -> None:
    """Use new tokens from now on, as when the old ones are about to expire."""
    before = client.session
    assert before is not None
    client.sign_in(client.authentication.refresh_tokens(refresh_token=before.refresh_token))
    assert client.session is not None
    assert client.session.refresh_token != before.refresh_token
    client.authentication.get_user()


def chat(client: Client) -> None:
    """Say something, and hear it."""
    opened = client.customer_chat.open_chat()
    for number, text in enumerate(("Is it made of oak?", "äöü\u2028😀"), 1):
        client.customer_chat.send_message(chat_id=opened.chat_id, message_id=str(number), text=text)
    heard: list[str] = []
    for entry in client.customer_chat.stream_chat(chat_id=opened.chat_id):
        if entry.kind is EntryKind.MESSAGE:
            heard.append(entry.text)
        if len(heard) == 2:
            break
    assert heard == ["Is it made of oak?", "äöü\u2028😀"]
    talk(client, opened.chat_id)


def talk(client: Client, chat_id: str) -> None:
    """Go on over a WebSocket, from what was said last to the end of the chat."""
    with client.customer_chat.talk_in_chat(chat_id=chat_id, after=2) as talking:
        talking.send(TalkInChatRequest(message=Message(message_id="3", text="Or of pine?")))
        said = talking.receive(timeout=10)
        assert isinstance(said.what, TalkInChatResponseWhatEntry)
        assert (said.what.value.position, said.what.value.text) == (3, "Or of pine?")
        client.customer_chat.close_chat(chat_id=chat_id)
        assert len(list(talking)) == 1
    with client.customer_chat.talk_in_chat(chat_id="none") as talking:
        try:
            talking.receive(timeout=10)
        except ApiError as error:
            assert error.name == "ChatNotFound"
        else:
            raise AssertionError("heard of what there is not")


async def under_asyncio(url: str, sku: str) -> None:
    """Do some of it at once, and give up in time."""
    async with AsyncClient(url) as client:
        found = await asyncio.gather(*(client.inventory.get_item(sku=sku) for _ in range(8)))
        assert {item.sku for item in found} == {sku}
        assert [item.sku async for item in client.inventory.iter_items(page_size=200)]
        try:
            await client.orders.get_order(order_id=sku, timeout=5.0)
        except ApiError as error:
            assert error.status is not None
        else:
            raise AssertionError("found what there is not")


def over_grpc(address: str, sku: str) -> None:
    """Ask the same with protoc's stubs."""
    with grpc.insecure_channel(address) as channel:
        stub = api_pb2_grpc.InventoryApiStub(channel)
        assert stub.GetItem(api_pb2.GetItemRequest(sku=sku), timeout=10).sku == sku


def main(url: str, grpc_address: str) -> None:
    """Take the tour."""
    email, password = f"{uuid.uuid4().hex}@example.org", "correct horse"
    with Client(url) as client:
        items = browse(client)
        stocked = next(item for item in items if 0 < item.stock < 900)
        cart_id = fill_a_cart(client, stocked)
        client.authentication.register_user(email=email, password=password)
        client.sign_in(client.authentication.authenticate(email=email, password=password))
        buy(client, cart_id)
        stay_signed_in(client)
        chat(client)
        asyncio.run(under_asyncio(url, stocked.sku))
        over_grpc(grpc_address, stocked.sku)
    sys.stdout.write("saw everything\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
