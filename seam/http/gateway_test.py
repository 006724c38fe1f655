"""What the front door does with requests and answers, whatever the application behind it is."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Response, get, post
from litestar.types import ASGIApp

from seam.call import current_call
from seam.http.admission import admitted
from seam.http.client_address import ClientAddresses
from seam.http.gateway import gateway
from seam.http.last_resort import always_answered
from seam.http.problem import exception_handlers
from seam.http.rate_limits.limiter import UNLIMITED
from seam.http.routing import as_sent
from seam.http.settings import HttpSettings
from seam.testing.issuer import TestIssuer

PAGE: Final = b'{"items":[' + b",".join(b'{"sku":"%d"}' % each for each in range(500)) + b"]}"
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SHOP: Final = "https://shop.example"

ISSUER: Final = TestIssuer()

Headers = Sequence[tuple[str, str]]


@get("/item", name="item")
async def item() -> Response[bytes]:
    return Response(b'{"sku":"1"}', media_type="application/json")


@get("/page", name="page")
async def page() -> Response[bytes]:
    return Response(PAGE, media_type="application/json")


@get("/picture", name="picture")
async def picture() -> Response[bytes]:
    return Response(PAGE, media_type="image/png")


@get("/state", name="state")
async def state() -> Response[bytes]:
    return Response(PAGE, media_type="application/json")


@get("/broken", name="broken")
async def broken() -> Response[bytes]:
    raise ZeroDivisionError


@get("/trace", name="trace")
async def trace() -> Response[bytes]:
    call = current_call.get()
    assert call is not None
    text = " ".join(filter(None, [call.traceparent, call.tracestate]))
    return Response(text.encode(), media_type="text/plain")


@post("/token", name="token")
async def token() -> Response[bytes]:
    return Response(PAGE, media_type="application/json", status_code=200)


def application(settings: HttpSettings) -> ASGIApp:
    app = Litestar(
        [item, page, picture, state, broken, trace, token],
        exception_handlers=exception_handlers({}),
        openapi_config=None,
        logging_config=None,
    )
    safe = ("item", "page", "picture", "broken", "trace")
    routed, anywhere = as_sent(app, safe=safe), ClientAddresses(())
    let_in = admitted(routed, ISSUER.authenticator(), UNLIMITED, anywhere)
    return gateway(always_answered(let_in), settings)


class Answer:
    def __init__(self, messages: Sequence[Any]) -> None:
        self.status: int = messages[0]["status"]
        self.headers: dict[str, str] = {}
        for name, value in messages[0]["headers"]:
            assert name.decode() not in self.headers or name == b"vary", name
            before = self.headers.get(name.decode())
            self.headers[name.decode()] = ", ".join(filter(None, [before, value.decode("latin-1")]))
        self.body: bytes = b"".join(message["body"] for message in messages[1:])


async def ask(
    path: str,
    headers: Headers = (),
    *,
    method: str = "GET",
    settings: HttpSettings = HttpSettings(),  # noqa: B008
    **scope: Any,
) -> Answer:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asked: Any = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": ("192.0.2.1", 1),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        **scope,
    }
    await application(settings)(asked, receive, send)
    assert current_call.get() is None
    return Answer(sent)


# What every answer has.


@pytest.mark.parametrize("path", ["/item", "/broken", "/nowhere", "/state"])
async def test_every_answer_keeps_browsers_from_taking_it_for_a_page(path: str) -> None:
    answer = await ask(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "strict-transport-security" not in answer.headers


async def test_browsers_that_came_over_tls_are_told_to_do_so_again() -> None:
    settings = HttpSettings(hsts_seconds=60)
    answer = await ask("/item", settings=settings, scheme="https")
    assert answer.headers["strict-transport-security"] == "max-age=60"


@pytest.mark.parametrize(("client", "told"), [("10.1.2.3", True), ("192.0.2.1", False)])
async def test_only_a_trusted_proxy_is_believed_that_a_client_came_over_tls(
    client: str, told: bool
) -> None:

    settings = HttpSettings(trusted_proxies=(ip_network("10.0.0.0/8"),))
    forwarded = [("x-forwarded-proto", "https")]
    answer = await ask("/item", forwarded, settings=settings, client=(client, 1))
    assert ("strict-transport-security" in answer.headers) is told


@pytest.mark.parametrize("path", ["/item", "/broken", "/nowhere"])
async def test_a_request_id_comes_back(path: str) -> None:
    answer = await ask(path, [("x-request-id", "a1:B2/c+d=e@f.g~h_i-j")])
    assert answer.headers["x-request-id"] == "a1:B2/c+d=e@f.g~h_i-j"


async def test_a_request_without_an_id_gets_one_of_its_own() -> None:
    ids = {(await ask("/item")).headers["x-request-id"] for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


HOSTILE: Final = ["", "a" * 129, "a b", "a\r\nset-cookie: x", "a\0", "é", "<script>", "a\x7f", '"']


@pytest.mark.parametrize("sent", HOSTILE)
async def test_a_request_id_that_is_none_is_not_repeated(sent: str) -> None:
    answer = await ask("/item", [("x-request-id", sent)])
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@given(st.binary(max_size=200))
async def test_whatever_comes_as_an_id_or_trace_what_goes_out_is_well_formed(sent: bytes) -> None:
    text = sent.decode("latin-1")
    answer = await ask("/item", [("x-request-id", text), ("traceparent", text), ("origin", text)])
    assert re.fullmatch(r"[A-Za-z0-9._~:=+/@-]{1,128}", answer.headers["x-request-id"])
    traceparent = answer.headers["traceparent"]
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", traceparent)


async def test_an_unexpected_error_is_logged_with_the_request_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await ask("/broken", [("x-request-id", "find-me")])
    [record] = caplog.records
    assert "GET /broken failed, request id find-me, error id" in record.getMessage()


# Trace context.


async def test_a_trace_reaches_what_is_called_and_comes_back() -> None:
    answer = await ask("/trace", [("traceparent", TRACE)])
    assert answer.body.decode() == answer.headers["traceparent"] == TRACE


async def test_a_request_without_a_trace_begins_one_that_is_not_sampled() -> None:
    answer = await ask("/trace")
    assert answer.body.decode() == answer.headers["traceparent"]
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", answer.headers["traceparent"])
    assert answer.headers["x-request-id"] == answer.headers["traceparent"][3:35]


async def test_of_a_later_version_what_this_one_knows_goes_on() -> None:
    answer = await ask("/trace", [("traceparent", f"cc{TRACE[2:-2]}fd-what-the-future-brings")])
    assert answer.body.decode() == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        TRACE.upper(),
        f"{TRACE}-more",
        f"ff{TRACE[2:]}",
        f"00-{'0' * 32}{TRACE[35:]}",
        f"{TRACE[:36]}{'0' * 16}-01",
        f"{TRACE}, {TRACE}",
        TRACE[:-1],
        "",
        "00-" + "a" * 60_000,
    ],
)
async def test_a_trace_that_is_none_is_as_if_it_had_not_come(sent: str) -> None:
    answer = await ask("/trace", [("traceparent", sent)])
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", answer.body.decode())


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (["a=1"], "a=1"),
        (["a=1,b@c=2", "d/e*f-g_h=!~"], "a=1,b@c=2,d/e*f-g_h=!~"),
        (["a=1 , b=2"], "a=1 , b=2"),
        (["a=1,,b=2"], "a=1,,b=2"),
        (["a=" + "x" * 256], "a=" + "x" * 256),
        ([",".join(f"a{at}=1" for at in range(32))], ",".join(f"a{at}=1" for at in range(32))),
        ([",".join(f"a{at}=1" for at in range(33))], ""),
        (["a=" + "x" * 257], ""),
        (["a=1," * 60_000], ""),
        (["A=1"], ""),
        (["a"], ""),
        (["a=1=2"], ""),
        (["a=\xe9"], ""),
        (["a=1\r\nb: 2"], ""),
        (["a=1\0"], ""),
        (["", ","], ""),
    ],
)
async def test_what_is_said_of_a_trace_goes_with_it_if_it_is_well_formed(
    sent: list[str], expected: str
) -> None:
    states = [("tracestate", each) for each in sent]
    answer = await ask("/trace", [("traceparent", TRACE), *states])
    assert answer.body.decode() == f"{TRACE} {expected}".strip()
    # Without a trace there is nothing that it could be said of.
    answer = await ask("/trace", states)
    assert answer.body.decode() == answer.headers["traceparent"]


# Caches.


async def test_what_a_client_holds_is_not_sent_again() -> None:
    first = await ask("/item")
    assert first.headers["cache-control"] == "no-cache"
    again = await ask("/item", [("if-none-match", first.headers["etag"])])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["vary"] == first.headers["vary"] == "accept-encoding, authorization"
    assert "content-length" not in again.headers
    assert "content-type" not in again.headers


@pytest.mark.parametrize("held", ['W/{}, "x"', '"x" ,{}', "*", 'W/"y",W/{}'])
async def test_a_tag_is_found_among_others(held: str) -> None:
    tag = (await ask("/item")).headers["etag"]
    assert (await ask("/item", [("if-none-match", held.format(tag))])).status == 304


@pytest.mark.parametrize("held", ['"x"', "", ",,,", '"' * 60_000, "W/W/" * 10_000])
async def test_who_holds_something_else_gets_the_body(held: str) -> None:
    answer = await ask("/item", [("if-none-match", held)])
    assert (answer.status, answer.body) == (200, b'{"sku":"1"}')


async def test_what_somebody_may_see_alone_is_kept_by_nobody_in_between() -> None:
    answer = await ask("/item", [("authorization", f"Bearer {ISSUER.token()}")])
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/token"),
        ("GET", "/state"),
        ("GET", "/broken"),
        ("GET", "/x"),
        ("OPTIONS", "/item"),
    ],
)
async def test_no_other_answer_is_kept(method: str, path: str) -> None:
    answer = await ask(path, [("if-none-match", "*")], method=method)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert answer.status != 304


# Compression.


@pytest.mark.parametrize(
    "accepted",
    ["gzip", "deflate, gzip;q=1.0, *;q=0.5", "GZIP", "*", "x-gzip", "br, gzip ; q=0.001"],
)
async def test_a_long_answer_is_compressed_for_who_takes_it(accepted: str) -> None:
    answer = await ask("/page", [("accept-encoding", accepted)])
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == PAGE
    assert int(answer.headers["content-length"]) == len(answer.body) < len(PAGE)
    assert answer.headers["vary"].startswith("accept-encoding")


@pytest.mark.parametrize(
    "accepted",
    [
        "",
        "identity",
        "br",
        "gzip;q=0",
        "gzip;q=0.000",
        "*;q=0",
        "gzip;q=0.5, identity",
        "gzip;q=2",
        "gzip;q=nan",
        "gzip;q=-1",
        "gzip;level=9",
        "gzip," * 1_000,
        "gzip;q=" + "0" * 60_000,
        ";" * 1_000,
    ],
)
async def test_a_long_answer_is_plain_for_who_does_not(accepted: str) -> None:
    answer = await ask("/page", [("accept-encoding", accepted)])
    assert (answer.status, answer.body) == (200, PAGE)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path"),
    # Short; not worth it; of a method with side effects, so that it may hold a secret.
    [("GET", "/item"), ("GET", "/picture"), ("POST", "/token"), ("GET", "/state")],
)
async def test_other_answers_are_not_compressed(method: str, path: str) -> None:
    answer = await ask(path, [("accept-encoding", "gzip")], method=method)
    assert answer.status == 200
    assert "content-encoding" not in answer.headers


async def test_a_compressed_body_has_a_tag_of_its_own_and_either_is_known_again() -> None:
    plain = await ask("/page")
    small = await ask("/page", [("accept-encoding", "gzip")])
    assert plain.headers["etag"] != small.headers["etag"]
    for tag in (plain.headers["etag"], small.headers["etag"]):
        again = await ask("/page", [("accept-encoding", "gzip"), ("if-none-match", tag)])
        assert (again.status, again.headers["etag"]) == (304, small.headers["etag"])


@pytest.mark.parametrize("path", ["/item", "/page", "/state", "/broken", "/nowhere"])
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_head_has_the_headers_of_get_and_no_body(path: str, accepted: str) -> None:
    sent = [("accept-encoding", accepted), ("x-request-id", "a"), ("traceparent", TRACE)]
    with_body, without = await ask(path, sent), await ask(path, sent, method="HEAD")
    assert without.body == b""
    assert without.status == with_body.status
    if path not in ("/broken", "/nowhere"):
        assert without.headers == with_body.headers


# Scripts of other sites.

CORS: Final = HttpSettings(allowed_origins=(SHOP,))


async def test_a_script_of_an_allowed_origin_may_read_answers() -> None:
    for path in ("/item", "/state", "/nowhere", "/broken"):
        answer = await ask(path, [("origin", SHOP)], settings=CORS)
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert "origin" in answer.headers["vary"]
        assert "etag" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://shop.example.evil.example",
        "https://shop.example:8443",
        "http://shop.example",
        "HTTPS://SHOP.EXAMPLE",
        "null",
        "*",
        "",
        f"{SHOP}, {SHOP}",
        f"{SHOP}\r\nx: y",
    ],
)
async def test_a_script_of_another_origin_may_not(origin: str) -> None:
    answer = await ask("/item", [("origin", origin)], settings=CORS)
    assert not any(name.startswith("access-control") for name in answer.headers)
    # Or a cache would give it to scripts that may.
    assert "origin" in answer.headers["vary"]


async def test_by_default_no_script_of_another_site_may() -> None:
    for method in ("GET", "OPTIONS"):
        sent = [("origin", SHOP), ("access-control-request-method", "GET")]
        answer = await ask("/item", sent, method=method)
        assert not any(name.startswith("access-control") for name in answer.headers)


async def test_a_browser_that_asks_before_learns_what_a_script_may_send() -> None:
    sent = [("origin", SHOP), ("access-control-request-method", "POST")]
    answer = await ask("/token", sent, method="OPTIONS", settings=CORS)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "idempotency-key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"


async def test_a_browser_that_asks_for_another_origin_or_no_route_learns_nothing() -> None:
    asked = ("access-control-request-method", "POST")
    for path, origin in (("/token", "https://evil.example"), ("/nowhere", SHOP)):
        answer = await ask(path, [("origin", origin), asked], method="OPTIONS", settings=CORS)
        assert "access-control-allow-methods" not in answer.headers


async def test_any_origin_may_be_allowed_without_credentials() -> None:
    settings = HttpSettings(allowed_origins=("*",))
    answer = await ask("/item", [("origin", "https://anyone.example")], settings=settings)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_credentials_are_allowed_to_exact_origins() -> None:
    settings = HttpSettings(allowed_origins=(SHOP,), allow_credentials=True)
    answer = await ask("/item", [("origin", SHOP)], settings=settings)
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-credentials"] == "true"
