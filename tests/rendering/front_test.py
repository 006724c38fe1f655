"""Envoy in front of processes with certificates does what the director does at the door."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.rendering.front import ORIGIN, Front, ProvenShop
from tests.system.processes import free_port


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvenShop]:
    """The shop, which all tests of this module share."""
    running = ProvenShop(tmp_path_factory.mktemp("proven"))
    yield running
    running.shop.close()


@pytest.fixture(scope="module")
def front(proven: ProvenShop) -> Iterator[Front]:
    """An Envoy before it, whose clients may be scripts of one origin."""
    with proven.behind_envoy("front", f'allowed_origins = ["{ORIGIN}"]') as found:
        yield found


def test_envoy_proves_itself_to_services_and_sells(front: Front) -> None:
    with front.acting("ann") as ann:
        cart = ann.post("/v1/carts", json={}).json()["cartId"]
        line = f"/v1/carts/{cart}/items/KIT-BRD-0008"
        assert ann.put(line, json={"quantity": 1}).status_code == 200
        key = {"Idempotency-Key": "one"}
        order = ann.post("/v1/orders", json={"cartId": cart}, headers=key)
        assert order.json()["state"] == "ORDER_STATE_CONFIRMED", order.text
    with front.acting("bob") as bob:
        assert bob.get(f"/v1/orders/{order.json()['orderId']}").status_code == 404


@pytest.mark.parametrize("wrong", ["audience", "issuer", "expired", "without an end"])
def test_a_token_that_is_none_of_the_issuers_is_refused(front: Front, wrong: str) -> None:
    clients = {
        "audience": front.acting("ann", aud="somebody else"),
        "issuer": front.acting("ann", iss="https://other.test"),
        "expired": front.acting("ann", seconds=-60),
        "without an end": front.acting("ann", exp=None),
    }
    with clients[wrong] as client:
        for path in ("/v1/inventory", "/v1/no-such-route"):
            answer = client.get(path)
            assert answer.status_code == 401, answer.text
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert client.get("/healthz").status_code == 200


def test_clocks_may_differ_by_half_a_minute(front: Front) -> None:
    with front.acting("ann", seconds=-20) as client:
        assert client.get("/v1/orders").status_code == 200


def test_while_there_are_no_keys_a_token_is_neither_good_nor_bad(proven: ProvenShop) -> None:
    away = f"http://127.0.0.1:{free_port()}/jwks.json"
    with proven.behind_envoy("no_keys", keys=away) as front:
        with front.acting("ann") as ann:
            assert ann.get("/v1/orders").status_code == 503
        with front.anonymous() as client:
            assert client.get("/v1/inventory").status_code == 200


def test_no_client_calls_in_the_name_of_a_service(front: Front) -> None:
    # The certificate of the front door would not let it; that nobody is refused shows that it is
    # not said at all.
    with front.acting("ann") as client:
        said = {"seam-caller": "orders", "baggage": "a=b"}
        assert client.get("/v1/inventory", headers=said).status_code == 200


def test_a_customer_and_an_agent_talk_through_envoy(front: Front) -> None:
    with front.acting("ann") as ann, front.acting("bob", "agent") as bob:
        opened = ann.post("/v1/chats")
        assert opened.status_code == 200, opened.text
        chat = f"/v1/chats/{opened.json()['chatId']}"
        with front.talking(f"{chat}:talk", "ann") as to_ann:
            assert bob.post(f"{chat}:join").status_code == 200
            assert _heard(to_ann) == (1, "ENTRY_KIND_JOINED")
            message = {"messageId": str(uuid.uuid4()), "text": "Where is my order?"}
            to_ann.send(json.dumps({"message": message}))
            assert _heard(to_ann) == (2, "Where is my order?")
            with ann.stream("GET", f"{chat}:stream", headers={"last-event-id": "1"}) as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                lines = response.iter_lines()
                # It is heard while the answer goes on.
                assert next(line for line in lines if line.startswith("id:")) == "id: 2"
                assert ann.post(f"{chat}:close").status_code == 200
                assert "event: end" in list(lines)
            assert _heard(to_ann) == (3, "ENTRY_KIND_CLOSED")
            with pytest.raises(ConnectionClosed):
                to_ann.recv(timeout=30)
        with pytest.raises(InvalidStatus, match="401"), front.talking(f"{chat}:talk", "") as _:
            pass
        assert ann.get("/v1/chats").status_code == 403


def _heard(connection: ClientConnection) -> tuple[int, str]:
    entry = json.loads(connection.recv(timeout=30))["entry"]
    return int(entry["position"]), entry["text"] or entry["kind"]


def test_methods_and_sizes_are_bounded_as_at_the_door(front: Front) -> None:
    with front.anonymous() as client:
        assert client.head("/v1/inventory").status_code == 200
        assert client.head("/v1/carts").status_code == 405
        told = client.options("/v1/inventory")
        assert (told.status_code, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        # On the same connection, so that a body which nobody expects would be seen.
        assert client.patch("/v1/inventory").status_code == 405
        assert client.post("/v1/carts", content=b"x" * (5 * 2**20)).status_code == 413
        packed = {"content-encoding": "gzip"}
        assert client.post("/v1/carts", content=b"x", headers=packed).status_code == 415
        long = client.get("/v1/inventory", headers={"x-own": "x" * 70_000})
        assert long.status_code == 431


def test_answers_say_what_keeps_browsers_safe(front: Front) -> None:
    with front.anonymous() as client:
        for path in ("/v1/inventory", "/v1/no-such-route", "/healthz", "/schema"):
            answer = client.get(path, headers={"x-request-id": "mine"})
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] in {"no-store", "no-cache"}
            assert answer.headers["x-request-id"] == "mine"


def test_scripts_of_one_origin_may_call(front: Front) -> None:
    with front.anonymous() as client:
        asks = {"access-control-request-method": "PUT"}
        path = "/v1/carts/one/items/two"
        allowed = client.options(path, headers={"origin": ORIGIN, **asks})
        assert allowed.is_success
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert "PUT" in allowed.headers["access-control-allow-methods"]
        assert "idempotency-key" in allowed.headers["access-control-allow-headers"]
        for origin, expected in ((ORIGIN, ORIGIN), ("https://other.example", None)):
            answer = client.get("/v1/inventory", headers={"origin": origin})
            assert answer.headers.get("access-control-allow-origin") == expected
        other = client.options(path, headers={"origin": "https://other.example", **asks})
        assert "access-control-allow-origin" not in other.headers


def test_a_client_that_asks_too_often_is_told_to_wait(proven: ProvenShop) -> None:
    limit = 'rate_limit_by_address = "5/hour"\ntrusted_proxies = ["127.0.0.0/8"]'
    with proven.behind_envoy("by_address", limit) as front, front.anonymous() as client:
        one, other = ({"x-forwarded-for": f"203.0.113.{number}"} for number in (1, 2))
        answers = [client.get("/v1/inventory/NONE", headers=one) for _ in range(6)]
        assert [each.status_code for each in answers] == [404] * 5 + [429]
        assert int(answers[-1].headers["retry-after"]) == 720
        assert client.get("/v1/inventory/NONE", headers=other).status_code == 404
        assert client.get("/healthz", headers=one).status_code == 200


def test_somebody_who_asks_too_often_is_told_to_wait_wherever_they_are(proven: ProvenShop) -> None:
    with proven.behind_envoy("by_principal", 'rate_limit_by_principal = "3/day"') as front:
        answers = []
        for number in range(4):
            with front.acting("ann", number=number) as ann:
                answers.append(ann.get("/v1/orders"))
        statuses = [each.status_code for each in answers]
        assert statuses == [200, 200, 200, 429], answers[0].text
        with front.acting("bob") as bob, front.anonymous() as client:
            assert bob.get("/v1/orders").status_code == 200
            assert {client.get("/v1/inventory").status_code for _ in range(5)} == {200}
