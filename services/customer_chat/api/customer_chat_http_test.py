"""Chats as clients see them over HTTP, over a real database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from seam.http import application
from seam.persistence import Database
from seam.testing import strict_channel
from seam.testing.issuer import TestIssuer
from services.customer_chat.api.customer_chat_api import CustomerChatApi
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.records.api_bus import register_customer_chat_api
from services.customer_chat.records.api_routes import CUSTOMER_CHAT_API_HTTP


async def ready() -> dict[str, bool]:
    return {"ready": True}


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API, which is Ann's."""
    issuer = TestIssuer()
    authenticator = issuer.authenticator()
    api = CustomerChatApi(database, Arrivals(database))
    channel = strict_channel(register_customer_chat_api(api))
    app = application(
        [CUSTOMER_CHAT_API_HTTP],
        lambda _: channel,
        ready,
        title="test",
        authenticator=authenticator,
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    headers = {"authorization": f"Bearer {issuer.token(subject='ann')}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://shop", headers=headers
    ) as client:
        yield client


@pytest.fixture
async def chat(http: httpx.AsyncClient) -> str:
    """The path of a new chat."""
    return f"/v1/chats/{(await http.post('/v1/chats')).json()['chatId']}"


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    return document


async def test_a_chat_and_its_entries_are_shown_as_proto_json(
    http: httpx.AsyncClient, chat: str
) -> None:
    shown = (await http.get(chat)).json()
    assert {name: shown[name] for name in ("state", "lastPosition")} == {
        "state": "CHAT_STATE_WAITING",
        "lastPosition": "0",
    }
    said = await http.post(f"{chat}/messages", json={"messageId": "1", "text": "hello"})
    assert said.status_code == 200, said.text
    page = (await http.get(f"{chat}/messages", params={"after": 0, "pageSize": 5})).json()
    assert page == {"entries": [said.json()], "more": False}
    assert said.json()["position"] == "1"


async def test_the_events_of_a_chat_are_its_entries_and_go_on_where_a_client_was(
    http: httpx.AsyncClient, chat: str
) -> None:
    for number in range(3):
        await http.post(f"{chat}/messages", json={"messageId": str(number), "text": "hello"})
    await http.post(f"{chat}:close")
    history = (await http.get(f"{chat}/messages")).json()["entries"]
    for after, headers in (("?after=0", {}), ("?after=1", {}), ("", {"last-event-id": "2"})):
        response = await http.get(f"{chat}:stream{after}", headers=headers)
        blocks = [block.split("\n") for block in response.text.split("\n\n") if "id: " in block]
        skipped = int(headers.get("last-event-id") or after.partition("=")[2])
        assert [json.loads(data.removeprefix("data: ")) for _, data in blocks] == history[skipped:]
        assert [position for position, _ in blocks] == [
            f"id: {each['position']}" for each in history[skipped:]
        ]
        assert response.text.endswith("event: end\ndata: {}\n\n")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messageId": "1", "text": ""}, "text"),
        ({"messageId": "1", "text": "x" * 4_001}, "text"),
        ({"messageId": "1", "text": "\0"}, "text"),
        ({"messageId": "1", "text": "\ud800"}, "text"),
        ({"text": "hello"}, "message_id"),
    ],
)
async def test_what_cannot_be_said_names_the_field(
    http: httpx.AsyncClient, chat: str, body: dict[str, str], field: str
) -> None:
    headers = {"content-type": "application/json"}
    response = await http.post(
        f"{chat}/messages", content=json.dumps(body).encode(), headers=headers
    )
    assert problem(response, 400)["errors"][0]["field"] == field


async def test_what_is_no_chat_is_not_found(http: httpx.AsyncClient) -> None:
    for verb in ("", ":stream", "/messages"):
        assert problem(await http.get(f"/v1/chats/%00{verb}"), 404)["error"] == "ChatNotFound"


@pytest.mark.parametrize("after", ["-1", "1", "9223372036854775807"])
async def test_a_position_that_is_not_there_yet_is_refused(
    http: httpx.AsyncClient, chat: str, after: str
) -> None:
    for path in (":stream", "/messages"):
        answer = problem(await http.get(f"{chat}{path}", params={"after": after}), 400)
        assert answer["errors"][0]["field"] == "after"


async def test_a_talk_needs_a_websocket(http: httpx.AsyncClient, chat: str) -> None:
    problem(await http.get(f"{chat}:talk"), 426)
