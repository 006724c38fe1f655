"""Requests that no client of good will sends, byte by byte, to a running shop.

`tests/http` and `seam/runtime/http_server_test.py` have more, inside of one process; here is what
an attacker would try from outside.
"""

from __future__ import annotations

import gzip
import json
import resource
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import grpc
import httpx
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from inventory.v1 import messagebus_pb2, messagebus_pb2_grpc

from seam.http.limits import MAXIMUM_BODY_BYTES
from seam.runtime.connection_limits import DEFAULT_CONNECTION_LIMITS
from tests.abuse.conftest import Attacked
from tests.abuse.raw import Answer, answers, connected, said_to
from tests.system.business_processes_test import item_with_stock, new_cart
from tests.system.topologies import wait_until

PATIENCE: Final = 15.0
"""Seconds in which the shop has to answer somebody else, whatever it is attacked with."""

JSON: Final = b"POST /v1/carts HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
GET: Final = b"GET /v1/inventory?pageSize=1 HTTP/1.1\r\nHost: shop\r\n"
HIDDEN: Final = b"GET /v1/inventory/HIDDEN HTTP/1.1\r\nHost: shop\r\n\r\n"
"""The request within a request: if it is answered, two programs have read two things."""


@pytest.fixture(autouse=True)
def shop_stays_well(monolith: Attacked) -> Iterator[None]:
    """Whatever a test does, the shop serves afterwards, and its log has no traceback."""
    yield
    assert monolith.shop.http.get("/v1/inventory", params={"pageSize": 1}).status_code == 200
    assert "Traceback" not in monolith.logs()


def statuses(attacked: Attacked, request: bytes) -> list[int]:
    found = answers(said_to(attacked.shop, request))
    for answer in found:
        check(answer)
    return [answer.status for answer in found]


def check(answer: Answer) -> None:
    assert answer.status < 500, answer
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == answer.status


SMUGGLED: Final[dict[str, bytes]] = {
    "a length and chunks": JSON
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunks and a length": JSON
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "two lengths": JSON + b"Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}" + HIDDEN,
    "one length twice": JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + HIDDEN,
    "a list of lengths": JSON + b"Content-Length: 2, 2\r\n\r\n{}" + HIDDEN,
    "a length with a sign": JSON + b"Content-Length: +2\r\n\r\n{}" + HIDDEN,
    "a length in hexadecimal": JSON + b"Content-Length: 0x2\r\n\r\n{}" + HIDDEN,
    "a length with a break": JSON + b"Content-Length: 0\r\n 2\r\n\r\n{}" + HIDDEN,
    "a length that overflows": JSON + b"Content-Length: 18446744073709551618\r\n\r\n{}" + HIDDEN,
    "an empty length": JSON + b"Content-Length:\r\n\r\n{}" + HIDDEN,
    "chunked twice": JSON
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunked and identity": JSON
    + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunked in a broken line": JSON + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a space before the colon": JSON
    + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "a tab in the coding": JSON + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a chunk of a negative size": JSON + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + HIDDEN,
    "a chunk size that overflows": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n"
    + HIDDEN,
    "a chunk without its end": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n"
    + HIDDEN,
    "chunks that end in bare line feeds": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n"
    + HIDDEN,
    "a bare line feed in a chunk extension": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n2;\n{}\r\n0\r\n\r\n"
    + HIDDEN,
    "bare line feeds": JSON.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + HIDDEN,
    "a bare carriage return": JSON + b"X: a\rContent-Length: 2\r\n\r\n{}" + HIDDEN,
    "NUL in a header": JSON + b"X: a\0b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a folded header": JSON + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header before the first": b"POST /v1/carts HTTP/1.1\r\n Host: shop\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_no_request_is_smuggled_within_another(monolith: Attacked, request_: bytes) -> None:
    found = answers(said_to(monolith.shop, request_))
    for answer in found:
        check(answer)
    # What is read in two ways is refused, and nothing behind it is read.
    assert [answer.status for answer in found] == [400]
    assert b"HIDDEN" not in b"".join(answer.body for answer in found)


def test_chunk_extensions_are_skipped_and_what_follows_is_the_next_request(
    monolith: Attacked,
) -> None:
    request = JSON + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0;c\r\n\r\n"
    last = GET + b"Connection: close\r\n\r\n"
    assert statuses(monolith, request + last) == [200, 200]


ECHOED: Final = (
    b"X-Request-ID",
    b"traceparent",
    b"Origin",
    b"Idempotency-Key",
    b"If-None-Match",
    b"Last-Event-ID",
    b"X-Forwarded-For",
    b"Host",
)
BROKEN: Final = (
    b"a\r\nSet-Cookie: stolen=1",
    b"a\nSet-Cookie: stolen=1",
    b"a\rSet-Cookie: stolen=1",
    b"a%0d%0aSet-Cookie: stolen=1",
    b"a\xe5\x98\x8a\xe5\x98\x8dSet-Cookie: stolen=1",
    b"a\0",
    b"\xff\xfe",
    b"(){:;};",
)


@pytest.mark.parametrize("name", ECHOED)
def test_no_header_of_a_request_becomes_a_header_of_its_answer(
    monolith: Attacked, name: bytes
) -> None:
    for value in BROKEN:
        request = GET + b"%b: %b\r\nConnection: close\r\n\r\n" % (name, value)
        for answer in answers(said_to(monolith.shop, request)):
            check(answer)
            assert "set-cookie" not in answer.headers, (name, value)
            assert "stolen" not in " ".join(answer.headers.values()), (name, value)


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/inventory/a%0d%0aSet-Cookie:%20stolen=1",
        b"/v1/carts/a%0d%0aSet-Cookie:%20stolen=1",
        b"/nowhere%0d%0aSet-Cookie:%20stolen=1",
        b"/v1/inventory?query=%0d%0aSet-Cookie:%20stolen=1",
        b"/v1/inventory?%0d%0aSet-Cookie:%20stolen=1",
    ],
)
def test_no_path_becomes_a_header_of_its_answer(monolith: Attacked, path: bytes) -> None:
    request = b"GET %b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n" % path
    (answer,) = answers(said_to(monolith.shop, request))
    check(answer)
    assert "set-cookie" not in answer.headers
    assert "stolen" not in " ".join(answer.headers.values())


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/../healthz",
        b"/v1/inventory/../../readyz",
        b"/v1/%2e%2e/healthz",
        b"/v1/inventory/%2e%2e%2fcarts",
        b"/v1/inventory/..%2f..%2fetc%2fpasswd",
        b"/v1/inventory/%c0%af",
        b"/v1/inventory/%c0%ae%c0%ae%c0%af",
        b"/v1/inventory/%e0%80%af",
        b"/v1/inventory/%f0%80%80%af",
        b"/v1/inventory/%00",
        b"/v1/inventory/KIT%00.json",
        b"/v1/inventory/%25%32%65",
        b"/v1/inventory//",
        b"//v1/inventory",
        b"/v1/inventory/..;/carts",
        b"/v1\\inventory",
        b"/V1/INVENTORY",
        b"/v1/inventory/%u002e",
        b"/v1/inventory/%",
        b"/.env",
        b"/metrics/../v1/inventory",
    ],
)
def test_no_path_is_tidied_into_another(monolith: Attacked, path: bytes) -> None:
    request = b"GET %b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n" % path
    (status,) = statuses(monolith, request)
    assert status in {400, 404}, path


@pytest.mark.parametrize("target", [b"evil.example:443", b"*", b"?a", b"", b"#a"])
def test_a_target_that_is_no_path_leads_nowhere(monolith: Attacked, target: bytes) -> None:
    for verb in (b"GET", b"CONNECT"):
        request = b"%b %b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n" % (verb, target)
        assert all(status >= 400 for status in statuses(monolith, request)), (verb, target)


def test_the_host_of_a_target_leads_nowhere_else(monolith: Attacked) -> None:
    # RFC 9112 wants it to be taken; it is this shop that answers.
    request = b"GET http://127.0.0.1:9/healthz HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
    (answer,) = answers(said_to(monolith.shop, request))
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')


def posted(body: bytes, *more: bytes) -> bytes:
    head = JSON + b"Connection: close\r\n" + b"".join(b"%b\r\n" % each for each in more)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


KEYS: Final = b",".join(b'"k%d":1' % number for number in range(200_000))

BODIES: Final[dict[str, bytes]] = {
    "100,000 arrays deep": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep, and without an end": b'{"a":[' * 300_000,
    "200,000 members": b"{" + KEYS + b"}",
    "one member 300,000 times": b"{" + b",".join([b'"a":1'] * 300_000) + b"}",
    "a number of a million digits": b'{"a":' + b"9" * 1_000_000 + b"}",
    "an exponent of a million digits": b'{"a":1e' + b"9" * 1_000_000 + b"}",
    "1e400": b'{"a":1e400}',
    "a text of 4 million": b'{"a":"' + b"x" * 4_000_000 + b'"}',
    "a million escapes": b'{"a":"' + b"\\u0041" * 600_000 + b'"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_made_to_cost_is_refused_in_time(monolith: Attacked, body: bytes) -> None:
    began = time.monotonic()
    assert statuses(monolith, posted(body)) == [400]
    assert time.monotonic() - began < PATIENCE


def test_an_amount_that_no_field_holds_is_refused(monolith: Attacked) -> None:
    cart, sku = new_cart(monolith.shop), item_with_stock(monolith.shop, 2)["sku"]
    path = f"/v1/carts/{cart}/items/{sku}"
    for amount in ("9" * 10_000, "1e400", "-0.5", "2147483648", "NaN", '"1e9"', "true", "[1]"):
        answer = monolith.shop.http.put(
            path,
            content=f'{{"quantity": {amount}}}',
            headers={"content-type": "application/json"},
        )
        assert answer.status_code == 400, amount
    assert monolith.shop.http.get(f"/v1/carts/{cart}").json()["lines"] == []


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"x"])
def test_a_compressed_body_is_refused_and_not_unpacked(monolith: Attacked, coding: bytes) -> None:
    bomb = gzip.compress(b'{"a":"' + b"x" * 50_000_000 + b'"}')
    assert statuses(monolith, posted(bomb, b"Content-Encoding: %b" % coding)) == [415]


def test_headers_that_ask_for_parts_or_other_things_change_nothing(monolith: Attacked) -> None:
    ranges = b",".join(b"%d-" % at for at in range(1_000))
    (whole,) = answers(said_to(monolith.shop, GET + b"Connection: close\r\n\r\n"))
    for header in (
        b"Range: bytes=" + ranges,
        b"Range: bytes=0-0",
        b"X-HTTP-Method-Override: DELETE",
        b"X-Original-URL: /metrics",
        b"X-Rewrite-URL: /metrics",
        b"X-Forwarded-Host: evil.example",
        b"Forwarded: for=127.0.0.1;host=evil.example",
    ):
        request = GET + header + b"\r\nConnection: close\r\n\r\n"
        (answer,) = answers(said_to(monolith.shop, request))
        assert (answer.status, answer.body) == (200, whole.body), header


def test_an_expectation_that_nobody_knows_is_no_failure(monolith: Attacked) -> None:
    request = GET + b"Expect: the-unexpected\r\nConnection: close\r\n\r\n"
    (status,) = statuses(monolith, request)
    assert status in {200, 417}


PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"


def test_the_beginning_of_http_2_is_refused(monolith: Attacked) -> None:
    assert statuses(monolith, PREFACE)[:1] in ([400], [404])
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    assert statuses(monolith, GET + upgrade + b"\r\n" + PREFACE) == [200]


@pytest.mark.parametrize(
    "greeting",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"EHLO evil.example\r\n",
        b"\0" * 1_000,
        b"GET /nothing\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
    ],
    ids=["TLS", "SSH", "SMTP", "NUL", "HTTP/0.9", "Redis"],
)
def test_another_protocol_is_answered_with_a_problem(monolith: Attacked, greeting: bytes) -> None:
    assert statuses(monolith, greeting) in ([400], [404])


@contextmanager
def descriptors(count: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@dataclass
class Crowd:
    """Connections that somebody holds open."""

    connections: list[socket.socket]

    def say(self, text: bytes) -> None:
        for connection in self.connections:
            connection.send(text)

    def wait_until_closed(self, seconds: float) -> int:
        """How many the server has closed within a time."""
        left = {connection.fileno(): connection for connection in self.connections}
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for number, connection in left.items():
                connection.setblocking(False)
                selector.register(number, selectors.EVENT_READ)
            while left and (rest := end - time.monotonic()) > 0:
                for key, _ in selector.select(rest):
                    try:
                        gone = left[key.fd].recv(65_536) == b""
                    except ConnectionError:
                        gone = True
                    if gone:
                        selector.unregister(key.fd)
                        del left[key.fd]
        return len(self.connections) - len(left)


@contextmanager
def crowd(attacked: Attacked, size: int) -> Iterator[Crowd]:
    with ExitStack() as stack:
        stack.enter_context(descriptors(size + 1_000))
        yield Crowd([stack.enter_context(connected(attacked.shop)) for _ in range(size)])


def served(attacked: Attacked, times: int = 20) -> None:
    """Check that somebody else is served, on new connections, in time."""
    for _ in range(times):
        began = time.monotonic()
        answer = httpx.get(f"{attacked.shop.url}/v1/inventory?pageSize=1", timeout=PATIENCE)
        assert answer.status_code == 200
        assert time.monotonic() - began < PATIENCE


def test_three_thousand_idle_connections_keep_nobody_out(monolith: Attacked) -> None:
    with crowd(monolith, 3_000) as idle:
        served(monolith)
        # Who asks nothing is not kept: their places are free again when the time for a head is up.
        closed = idle.wait_until_closed(DEFAULT_CONNECTION_LIMITS.head_seconds + PATIENCE)
        assert closed == 3_000


def test_a_thousand_clients_that_send_their_heads_letter_by_letter_are_cut_off(
    monolith: Attacked,
) -> None:
    with crowd(monolith, 1_000) as slow:
        began = time.monotonic()
        for letter in b"GET /v1":
            slow.say(bytes([letter]))
            served(monolith, 1)
        # That they go on sending does not give them more time.
        seconds = DEFAULT_CONNECTION_LIMITS.head_seconds - (time.monotonic() - began)
        assert slow.wait_until_closed(max(seconds, 0) + PATIENCE) == 1_000


def test_five_hundred_clients_that_hold_back_their_bodies_keep_nobody_out(
    monolith: Attacked,
) -> None:
    with crowd(monolith, 500) as slow:
        slow.say(JSON + b"Content-Length: 1000\r\n\r\n{")
        served(monolith)


def test_large_bodies_that_are_held_back_take_so_much_memory_and_no_more(
    monolith: Attacked,
) -> None:
    body = b" " * (MAXIMUM_BODY_BYTES - 1)
    head = JSON + b"Content-Length: %d\r\n\r\n" % MAXIMUM_BODY_BYTES
    refused: set[socket.socket] = set()

    def are_refused(held: Sequence[socket.socket], count: int) -> bool:
        for connection in held:
            with suppress(BlockingIOError):
                try:
                    said = connection.recv(65_536)
                except ConnectionError:
                    said = b""
                # Who is refused while it sends may find connection and answer gone.
                assert said.startswith(b"HTTP/1.1 503 ") or said == b""
                refused.add(connection)
        return len(refused) >= count

    with ExitStack() as stack:
        held = [stack.enter_context(connected(monolith.shop)) for _ in range(100)]
        for connection in held:
            with suppress(ConnectionError):
                connection.sendall(head + body)
            connection.setblocking(False)
        # Of 400 MiB there is room for 256, of which the first of each body takes nothing. Small
        # requests need none of it.
        wait_until(lambda: are_refused(held, 35))
        served(monolith)
        assert monolith.shop.http.post("/v1/carts", json={}).status_code == 200

    large = posted(body[:1_000_000] + b"{}")

    def is_free() -> bool:
        return [each.status for each in answers(said_to(monolith.shop, large))] == [200]

    wait_until(is_free)


def test_clients_that_never_read_keep_nobody_out(monolith: Attacked) -> None:
    request = b"GET /v1/inventory?pageSize=200 HTTP/1.1\r\nHost: shop\r\n\r\n"
    with crowd(monolith, 50) as greedy:
        greedy.say(request * 50)
        served(monolith)


def test_a_storm_of_connections_that_are_reset_leaves_nothing_behind(monolith: Attacked) -> None:
    linger = b"\1\0\0\0\0\0\0\0"
    for _ in range(2_000):
        with connected(monolith.shop) as connection:
            connection.send(GET)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    served(monolith)


def test_clients_that_leave_before_they_are_answered_leave_nothing_behind(
    monolith: Attacked,
) -> None:
    one = JSON + b"Content-Length: 2\r\n\r\n{}"
    # Of several in a row, the first is not the one that uvicorn knows to be left.
    for request in (GET + b"\r\n", one, one + GET + b"\r\n"):
        for _ in range(100):
            with connected(monolith.shop) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                # An answer that was under way, or none.
                with suppress(ConnectionError):
                    connection.recv(65_536)
    served(monolith)


def test_what_is_for_services_is_refused_to_who_names_none_on_the_port_for_processes(
    monolith: Attacked,
) -> None:
    address = monolith.shop.address("grpc")
    reserve = messagebus_pb2.ReserveStockRequest(reservation_id="stolen")
    with grpc.insecure_channel(address) as channel:
        stub = messagebus_pb2_grpc.InventoryStub(channel)
        for metadata in ((), (("seam-caller", "nobody"),), (("seam-caller", ""),)):
            with pytest.raises(grpc.RpcError) as refused:
                stub.ReserveStock(reserve, timeout=5, metadata=metadata)
            assert refused.value.code() is StatusCode.PERMISSION_DENIED
        # What everybody may ask is answered all the same.
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_port_for_clients_speaks_no_grpc(monolith: Attacked) -> None:
    with grpc.insecure_channel(monolith.shop.url.removeprefix("http://")) as channel:
        stub = messagebus_pb2_grpc.InventoryStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.ReserveStock(messagebus_pb2.ReserveStockRequest(), timeout=5)
    assert refused.value.code() in {StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED}
