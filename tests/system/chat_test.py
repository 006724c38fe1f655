"""Customers and agents talk, in one process and in several, while processes end in the middle."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from seam.testing.issuer import TestIssuer
from tests.system.processes import free_port
from tests.system.topologies import SERVICES, SOURCES, Launch, Shop, broker_command

ISSUER: Final = "https://issuer.test"
OTHERS: Final = ", ".join(f'"{name}"' for name in SERVICES if name != "customer_chat")

PATIENCE: Final = 60.0
"""Seconds until a client gives up; a process takes some to start again."""


def _auth(directory: Path, issuer: TestIssuer) -> str:
    keys = directory / "jwks.json"
    keys.write_bytes(issuer.jwks())
    return f'[auth]\nissuer = "{ISSUER}"\naudience = "shop"\njwks = "{keys}"\n'


def _monolith(directory: Path, auth: str) -> list[Launch]:
    topology = directory / "monolith.toml"
    topology.write_text(
        f'[process.shop]\nservices = ["customer_chat", {OTHERS}]\n'
        f'http = "127.0.0.1:{free_port()}"\n{auth}'
    )
    settings = ["--topology", str(topology), "--data", str(directory / "data")]
    return [Launch("shop", [*SOURCES, *settings], listens=1)]


def _split(directory: Path, auth: str) -> list[Launch]:
    """Chats are in two processes that are alike, behind a director."""
    topology = directory / "split.toml"
    chats = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    broker = free_port()
    topology.write_text(
        f'[process.director]\nhttp = "127.0.0.1:{free_port()}"\n'
        f'[process.customer_chat]\nservices = ["customer_chat"]\ngrpc = "{chats[0]}"\n'
        f'advertise = ["{chats[0]}", "{chats[1]}"]\n'
        f'[process.others]\nservices = [{OTHERS}]\ngrpc = "127.0.0.1:{free_port()}"\n{auth}'
        f'[events]\nbroker = "nats://127.0.0.1:{broker}"\n'
    )
    settings = ["--topology", str(topology), "--data", str(directory / "data")]
    chat = [*SOURCES, *settings, "--process", "customer_chat"]
    return [
        Launch("broker", broker_command(broker, directory), listens=0),
        Launch("chat", chat, listens=1),
        Launch("chat_too", [*chat, "--grpc", chats[1]], listens=1),
        Launch("others", [*SOURCES, *settings, "--process", "others"], listens=1),
        Launch("director", [*SOURCES, *settings, "--process", "director"], listens=1),
    ]


TOPOLOGIES: Final[dict[str, tuple[Callable[[Path, str], list[Launch]], str]]] = {
    "monolith": (_monolith, "shop"),
    "split": (_split, "chat"),
    "split, the director ends": (_split, "director"),
}
"""How the shop is cut, and which process ends in the middle."""


class Chats:
    """A shop, and what people do in it."""

    def __init__(self, shop: Shop, issuer: TestIssuer, victim: str) -> None:
        self.shop = shop
        # It stays, whatever ends.
        self.url = shop.url
        self.victim = victim
        self._issuer = issuer

    def token(self, subject: str, *roles: str) -> str:
        return self._issuer.token(subject, list(roles), iss=ISSUER)

    @contextmanager
    def acting(self, subject: str, *roles: str) -> Iterator[httpx.Client]:
        headers = {"authorization": f"Bearer {self.token(subject, *roles)}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=20) as client:
            yield client

    @contextmanager
    def talking(self, path: str, subject: str, *roles: str) -> Iterator[ClientConnection]:
        url = f"{self.url}{path}".replace("http://", "ws://")
        protocols: Any = ["bearer", self.token(subject, *roles)]
        with connect(url, subprotocols=protocols, open_timeout=20) as connection:
            yield connection


@pytest.fixture(params=TOPOLOGIES)
def chats(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chats]:
    """The shop in each topology."""
    launches, victim = TOPOLOGIES[request.param]
    issuer = TestIssuer()
    shop = Shop(launches(tmp_path, _auth(tmp_path, issuer)), tmp_path)
    yield Chats(shop, issuer, victim)
    shop.close()


def opened(client: httpx.Client) -> str:
    response = client.post("/v1/chats")
    assert response.status_code == 200, response.text
    return f"/v1/chats/{response.json()['chatId']}"


def say(connection: ClientConnection, text: str) -> None:
    message = {"messageId": str(uuid.uuid4()), "text": text}
    connection.send(json.dumps({"message": message}))


def heard(connection: ClientConnection) -> tuple[int, str]:
    entry = json.loads(connection.recv(timeout=20))["entry"]
    return int(entry["position"]), entry["text"] or entry["kind"]


def test_a_customer_and_an_agent_talk(chats: Chats) -> None:
    with chats.acting("ann") as ann, chats.acting("bob", "agent") as bob:
        chat = opened(ann)
        waiting = bob.get("/v1/chats").json()["chats"]
        assert chat.rpartition("/")[2] in [each["chatId"] for each in waiting]
        with (
            chats.talking(f"{chat}:talk", "ann") as to_ann,
            chats.talking(f"{chat}:talk", "bob", "agent") as to_bob,
        ):
            assert bob.post(f"{chat}:join").json()["state"] == "CHAT_STATE_JOINED"
            assert [heard(each) for each in (to_ann, to_bob)] == [(1, "ENTRY_KIND_JOINED")] * 2
            say(to_ann, "Where is my order?")
            assert [heard(each) for each in (to_ann, to_bob)] == [(2, "Where is my order?")] * 2
            say(to_bob, "On its way.")
            assert [heard(each) for each in (to_ann, to_bob)] == [(3, "On its way.")] * 2
            assert ann.post(f"{chat}:close").status_code == 200
            for each in (to_ann, to_bob):
                assert heard(each) == (4, "ENTRY_KIND_CLOSED")
                with pytest.raises(ConnectionClosed):
                    each.recv(timeout=20)
                assert each.protocol.close_code == 1000
        history = ann.get(f"{chat}/messages").json()["entries"]
        events = list(parsed(ann.get(f"{chat}:stream").text))
        assert [data for kind, data in events if kind == "message"] == history
        assert events[-1][0] == "end"

        assert httpx.get(f"{chats.url}{chat}").status_code == 401
        assert ann.get("/v1/chats").status_code == 403
        with chats.acting("eve") as eve:
            for method, path in (("GET", ""), ("GET", ":stream"), ("POST", ":close")):
                assert eve.request(method, f"{chat}{path}").status_code == 404, path
        with chats.talking(f"{chat}:talk", "eve") as to_eve:
            with pytest.raises(ConnectionClosed):
                to_eve.recv(timeout=20)
            assert to_eve.protocol.close_code == 1008
            assert (to_eve.protocol.close_reason or "").startswith("ChatNotFound")


def parsed(text: str) -> Iterator[tuple[str, Any]]:
    """Kind and data of server-sent events."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            yield fields.get("event", "message"), json.loads(fields["data"])


def followed(chats: Chats, chat: str) -> list[int]:
    """What somebody learns by server-sent events who comes back whenever a stream breaks off."""
    seen: list[int] = []
    end = time.monotonic() + PATIENCE
    with chats.acting("ann") as client:
        while time.monotonic() < end:
            headers = {"last-event-id": str(seen[-1])} if seen else {}
            try:
                with client.stream("GET", f"{chat}:stream", headers=headers) as response:
                    block: list[str] = []
                    for line in response.iter_lines():
                        block.append(line)
                        if not line:
                            for kind, data in parsed("\n".join(block)):
                                if kind == "end":
                                    return seen
                                if kind == "message":
                                    seen.append(int(data["position"]))
                            block = []
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise AssertionError(f"it does not end: {seen}")


def talked(chats: Chats, chat: str) -> list[int]:
    """What somebody learns over WebSockets who comes back whenever one is closed."""
    seen: list[int] = []
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        after = seen[-1] if seen else 0
        try:
            with chats.talking(f"{chat}:talk?after={after}", "bob", "agent") as connection:
                while True:
                    position, text = heard(connection)
                    seen.append(position)
                    if text == "ENTRY_KIND_CLOSED":
                        return seen
        except (WebSocketException, OSError, EOFError):
            # It was closed, or nobody answered the handshake, or not with a WebSocket.
            pass
        time.sleep(0.1)
    raise AssertionError(f"it does not end: {seen}")


def test_those_who_follow_miss_nothing_and_get_nothing_twice_when_a_process_is_killed(
    chats: Chats,
) -> None:
    count = 24
    with chats.acting("ann") as ann, ThreadPoolExecutor(2) as others:
        chat = opened(ann)
        learned = [others.submit(each, chats, chat) for each in (followed, talked)]

        def ask(path: str, body: dict[str, str]) -> httpx.Response:
            """Ask until it is answered: what is asked twice is done once."""
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                try:
                    response = ann.post(f"{chat}{path}", json=body)
                except httpx.TransportError:
                    continue
                if response.status_code < 500:
                    return response
                time.sleep(0.1)
            raise AssertionError(f"{path} is not answered")

        for number in range(count):
            if number in {8, 16}:
                chats.shop.kill(chats.victim)
                chats.shop.start(chats.victim)
            said = ask("/messages", {"messageId": str(number), "text": f"message {number}"})
            assert said.status_code == 200, said.text
        assert ask(":close", {}).status_code == 200
        expected = list(range(1, count + 2))
        assert [each.result(PATIENCE) for each in learned] == [expected, expected]
        history = ann.get(f"{chat}/messages", params={"pageSize": 200}).json()["entries"]
        assert [int(each["position"]) for each in history] == expected
        assert [each["text"] for each in history[:-1]] == [f"message {n}" for n in range(count)]
