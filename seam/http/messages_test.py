from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Response, post
from litestar.testing import AsyncTestClient

from seam.codec.protojson import read_int32, read_string
from seam.contract.errors import InvalidField
from seam.http import HttpRequest, Query, read_json, reply
from seam.http.limits import MAXIMUM_QUERY_PARAMETERS, MAXIMUM_TARGET_BYTES
from seam.http.problem import exception_handlers


def query(text: bytes) -> Query:
    scope: Any = {"type": "http", "query_string": text}
    return Query(HttpRequest(scope))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(InvalidField) as raised:
        act()
    return str(raised.value)


def test_parameters_are_decoded_and_read() -> None:
    parameters = query(b"text=gr%C3%BC%C3%9Fe+an&number=-7&empty=")
    assert parameters.one(read_string, "", "text") == "grüße an"
    assert parameters.one(read_int32, 0, "number") == -7
    assert parameters.one(read_string, "default", "empty") == ""
    assert parameters.one(read_int32, 5, "absent") == 5
    parameters.finish()


def test_a_parameter_may_go_by_either_name() -> None:
    assert query(b"page_size=3").one(read_int32, 0, "pageSize", "page_size") == 3
    assert query(b"pageSize=3").one(read_int32, 0, "pageSize", "page_size") == 3


def test_repeated_parameters_keep_their_order() -> None:
    assert query(b"id=2&id=1").many(read_int32, "id") == (2, 1)


def test_what_is_wrong_with_a_parameter_is_said_with_its_name() -> None:
    assert refusal(lambda: query(b"n=x").one(read_int32, 0, "n")).startswith("n: expected an int32")
    twice = query(b"n=1&n=2")
    assert refusal(lambda: twice.one(read_int32, 0, "n")) == "n: given more than once"
    assert refusal(query(b"colour=red").finish) == "colour: unknown query parameter"
    assert refusal(lambda: query(b"").required(read_int32, "n")) == "n: required, but absent"
    assert refusal(lambda: query(b"n=%ff")) == "the query string is not UTF-8 text"
    assert "'%' without two hexadecimal digits" in refusal(lambda: query(b"n=%"))
    assert "'%' without two hexadecimal digits" in refusal(lambda: query(b"n=%zz"))


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_any_text_arrives_as_it_was_sent(values: dict[str, str]) -> None:
    from urllib.parse import urlencode

    parameters = query(urlencode(values).encode())
    for name, value in values.items():
        assert parameters.one(read_string, None, name) == value
    parameters.finish()


@pytest.fixture
async def client() -> AsyncIterator[AsyncTestClient[Litestar]]:
    @post("/")
    async def echo(request: HttpRequest) -> Response[bytes]:
        return reply(await read_json(request))

    app = Litestar([echo], exception_handlers=exception_handlers({}), openapi_config=None)
    async with AsyncTestClient(app) as made:
        yield made


async def test_an_empty_body_is_an_empty_object(client: AsyncTestClient[Litestar]) -> None:
    assert (await client.post("/")).json() == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", "the body is not valid JSON: Expecting property name"),
        (b'{"a": 1,\n "b" 2}', "at line 2, column 6"),
        (b'{"a": {"b": 1, "b": 2}}', "b: given more than once"),
        (b'"\xff"', "expected UTF-8 text"),
        (b"[" * 100_000, "the body is nested too deeply"),
    ],
)
async def test_a_body_that_is_no_json_is_refused_with_the_place(
    client: AsyncTestClient[Litestar], body: bytes, expected: str
) -> None:
    answer = await client.post("/", content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert expected in answer.json()["detail"]


def members(size: int, *, last: str) -> bytes:
    names = [f"m{number:06}" for number in range(size // 12)]
    return json.dumps(dict.fromkeys(names, 1)).encode()[:-1] + f', "{last}": 1}}'.encode()


GROWING: dict[str, Callable[[int], bytes]] = {
    "distinct members": lambda size: members(size, last="last"),
    "the last member comes twice": lambda size: members(size, last="m000000"),
    "one member, again and again": lambda size: b"{" + b'"a":1,' * (size // 6) + b'"a":1}',
    "one long name, twice": lambda size: (
        b'{"%b":1,"%b":1}' % (b"a" * (size // 2), b"a" * (size // 2))
    ),
    "nested objects": lambda size: b'{"a":' * (size // 5),
    "nested arrays": lambda size: b"[" * size,
    "one long number": lambda size: b"9" * size,
    "long numbers": lambda size: (
        b"[" + b"9" * 10_000 + (b"," + b"9" * 10_000) * (size // 10_000) + b"]"
    ),
    "one long fraction": lambda size: b"0." + b"9" * size,
    "one long exponent": lambda size: b"1e" + b"9" * size,
    "one long text": lambda size: b'"' + b"a" * size + b'"',
    "escapes": lambda size: b'"' + b"\\ud800" * (size // 6) + b'"',
    "no text": lambda size: b"\xff" * size,
    "spaces": lambda size: b" " * size,
}


@pytest.mark.parametrize("body", GROWING.values(), ids=GROWING.keys())
async def test_reading_a_body_costs_as_much_as_it_is_long(body: Callable[[int], bytes]) -> None:
    async def cost(size: int) -> float:
        content = body(size)
        taken = []
        for _ in range(5):
            begun = time.process_time()
            for _ in range(5):
                with suppress(InvalidField):
                    await read_json(received(content))
            taken.append(time.process_time() - begun)
        return min(taken)

    small, large = await cost(50_000), await cost(400_000)
    # Eight times is due and 64 times would be its square; and there is what a clock cannot see.
    assert large < 20 * small + 0.02, (small, large)


def received(body: bytes) -> HttpRequest:
    scope: Any = {"type": "http", "headers": [], "query_string": b"", "path": "/", "method": "POST"}
    request = HttpRequest(scope)
    request._body = body
    return request


@pytest.mark.parametrize(
    "part", ["a=1&", "a&", "&", "%61=%62&", "a=%C3%BC+", "a=%ff&", "%"], ids=lambda part: part
)
def test_reading_a_query_costs_as_much_as_it_is_long(part: str) -> None:
    def cost(size: int) -> float:
        text = (part * size)[:size].encode()
        taken = []
        for _ in range(5):
            begun = time.process_time()
            for _ in range(20):
                with suppress(InvalidField):
                    Query(HttpRequest({"type": "http", "query_string": text})).finish()  # type: ignore[arg-type]
            taken.append(time.process_time() - begun)
        return min(taken)

    # Longer ones are refused before they are read.
    small, large = cost(MAXIMUM_TARGET_BYTES // 4), cost(MAXIMUM_TARGET_BYTES)
    assert large < 8 * small + 0.02, (small, large)


def test_a_query_of_too_many_parts_is_refused_before_it_is_read() -> None:
    most = b"a=1&" * MAXIMUM_QUERY_PARAMETERS
    assert refusal(lambda: query(most)).startswith("the query string has too many parts")
    assert query(most[:-1]).many(read_int32, "a") == (1,) * MAXIMUM_QUERY_PARAMETERS


async def test_what_an_error_repeats_of_a_request_is_bounded(
    client: AsyncTestClient[Litestar],
) -> None:
    name = "a" * 200_000
    answer = await client.post("/", content=f'{{"{name}":1,"{name}":2}}')
    assert answer.status_code == 400
    assert len(answer.content) < 10_000
