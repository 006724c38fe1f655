"""Random contracts in use: every method is called over each transport, every route over HTTP."""

from __future__ import annotations

import importlib
import json
import random
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import grpc
import pytest

from codegen import names
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.testing.random_messages import fill
from seam.bus import GrpcChannel, HandlerRegistry, InProcessChannel, open_channel, servicer
from seam.contract import (
    Code,
    ErrorDescriptor,
    InvalidArgumentError,
    InvalidField,
    Kind,
    MethodDescriptor,
    Record,
    StatusError,
)
from seam.http import application
from seam.http.application import openapi
from seam.testing.access import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from codegen.contract.model import ContractFile, HttpBinding, Method, Service

TRANSPORTS = ("by reference", "strict", "gRPC")
TURNS = 3
"""How often each method is called over each transport."""

TRIALS = 100
"""How many random records are tried to find one that keeps the rules."""


@pytest.fixture(scope="module", params=SEEDS)
def files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ContractFile]]:
    """Some random contracts, whose modules can be imported."""
    out = tmp_path_factory.mktemp("generated")
    files = generate_random_contracts(request.param, out)
    sys.path.insert(0, str(out))
    yield files
    sys.path.remove(str(out))


def module(file: ContractFile, suffix: str) -> Any:
    return importlib.import_module(f"{file.module}{suffix}")


def services(files: list[ContractFile]) -> Iterator[tuple[ContractFile, Service]]:
    for file in files:
        for service in file.services:
            yield file, service


def random_record(rng: random.Random, codec: Any, *, keeps_rules: bool = False) -> Record:
    """A record of a type, found by trial, since what is REQUIRED may be absent in a message.

    One that keeps the rules is looked for a while, and may not be found.
    """
    trials = 0
    while True:
        trials += 1
        message = codec.message_type()
        fill(rng, message)
        try:
            record: Record = codec.from_proto(message)
        except InvalidField:
            continue
        # NaN differs from itself.
        if "nan" in repr(record):
            continue
        if not keeps_rules or trials > TRIALS or broken_rule(record, codec) is None:
            return record


def broken_rule(record: Record, codec: Any) -> InvalidField | None:
    """Which rule of its contract a record breaks; None when it keeps them."""
    try:
        if codec.check is not None:
            codec.check(record)
    except InvalidField as refused:
        return refused
    return None


class Handler:
    """Answers all methods of a service by what was set, and remembers what it was asked."""

    def __init__(self, service: Service) -> None:
        self.asked: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        for method in service.methods:
            setattr(self, method.attribute, self._function(method))

    def _function(self, method: Method) -> Any:
        async def unary(request: Any) -> Any:
            self.asked[method.name] = await collected(request)
            if isinstance(self.answers[method.name], Exception):
                raise self.answers[method.name]
            return self.answers[method.name][0]

        async def stream(request: Any) -> Any:
            self.asked[method.name] = await collected(request)
            for answer in self.answers[method.name]:
                yield answer

        return stream if method.kind.server_streaming else unary


async def collected(requests: Any) -> list[Any]:
    if isinstance(requests, Record):
        return [requests]
    return [request async for request in requests]


async def each(items: list[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


@asynccontextmanager
async def connected(transport: str, registration: Any) -> AsyncIterator[Any]:
    """A channel to a handler."""
    registry = HandlerRegistry(policy=EVERYBODY)
    registry.register(registration)
    if transport != "gRPC":
        yield InProcessChannel(registry, strict=transport == "strict")
        return
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([servicer(registration.descriptor, registry)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}", [registration.descriptor]) as connection:
            yield GrpcChannel(connection)
    finally:
        await server.stop(grace=None)


def register(file: ContractFile, service: Service, handler: Any) -> Any:
    return getattr(module(file, "_bus"), names.register_function(service.name))(handler)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_call_reaches_its_method_and_comes_back_as_it_was(
    files: list[ContractFile], transport: str
) -> None:
    rng = random.Random(1)
    for file, service in services(files):
        handler = Handler(service)
        registration = register(file, service, handler)
        assert [m.name for m in registration.descriptor.methods] == [
            method.name for method in service.methods
        ]
        async with connected(transport, registration) as channel:
            stub = getattr(module(file, "_bus"), names.stub_class(service.name))(channel)
            described = zip(service.methods, registration.descriptor.methods, strict=True)
            for method, descriptor in [*described] * TURNS:
                await call(rng, handler, stub, method, descriptor)


async def call(
    rng: random.Random, handler: Handler, stub: Any, method: Method, descriptor: Any
) -> None:
    """Call a method, with its answer and with each of its errors."""
    assert isinstance(descriptor, MethodDescriptor)
    counts = [rng.randint(0, 3) if many else 1 for many in descriptor.kind.value]
    requests, answers = (
        [random_record(rng, codec, keeps_rules=rng.random() < 0.9) for _ in range(number)]
        for codec, number in zip((descriptor.request, descriptor.response), counts, strict=True)
    )
    handler.asked.clear()
    handler.answers = {method.name: answers}
    found = [broken_rule(request, descriptor.request) for request in requests]
    if any(found):
        with pytest.raises(InvalidArgumentError) as refused:
            await answer_of(stub, method, requests)
        assert str(refused.value.field) == str(next(filter(None, found)))
        assert handler.asked == {}
        return
    if any(broken_rule(answer, descriptor.response) for answer in answers):
        with pytest.raises(StatusError) as defect:
            await answer_of(stub, method, requests)
        assert defect.value.code is Code.INTERNAL
    else:
        assert await answer_of(stub, method, requests) == answers
    assert handler.asked == {method.name: requests}
    if descriptor.kind in (Kind.UNARY, Kind.CLIENT_STREAMING):
        for error in descriptor.errors:
            assert isinstance(error, ErrorDescriptor)
            raised = error.exception(random_record(rng, error.codec))
            handler.answers = {method.name: raised}
            with pytest.raises(error.exception) as caught:
                await answer_of(stub, method, requests)
            assert caught.value.record == raised.record
            assert caught.value.message == raised.message


async def answer_of(stub: Any, method: Method, requests: list[Any]) -> list[Any]:
    function = getattr(stub, method.attribute)
    called = function(each(requests) if method.kind.client_streaming else requests[0])
    if method.kind.server_streaming:
        return [answer async for answer in called]
    return [await called]


def test_a_mock_stands_in_for_every_service(files: list[ContractFile]) -> None:
    for file, service in services(files):
        mock = getattr(module(file, "_mock"), names.mock_class(service.name))()
        attributes = [method.attribute for method in service.methods]
        stub = getattr(mock, names.mock_stub_method(attributes))()
        assert isinstance(stub, getattr(module(file, "_bus"), names.stub_class(service.name)))
        for attribute in attributes:
            assert getattr(mock, attribute).requests == []


class Http:
    """Sends requests to an ASGI application."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, verb: str, path: str, query: str, body: bytes) -> tuple[int, Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": verb.upper(),
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"test"), (b"content-length", str(len(body)).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await self._app(scope, receive, send)
        answer = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(answer)


def http_apis(files: list[ContractFile]) -> list[tuple[ContractFile, Service, Any]]:
    return [
        (file, service, getattr(module(file, "_routes"), names.http_constant(service.name)))
        for file, service in services(files)
        if any(method.http for method in service.methods)
    ]


async def test_every_route_reads_its_request_and_answers(files: list[ContractFile]) -> None:
    rng = random.Random(1)
    handlers: dict[str, Handler] = {}
    registry = HandlerRegistry(policy=EVERYBODY)
    apis = http_apis(files)
    for file, service, _ in apis:
        handlers[service.full_name] = Handler(service)
        registry.register(register(file, service, handlers[service.full_name]))

    async def readiness() -> dict[str, Any]:
        return {"ready": True}

    app = application(
        [api for *_, api in apis],
        lambda _: InProcessChannel(registry, strict=True),
        readiness,
        title="Made up",
    )
    http = Http(app)
    for _, service, api in apis:
        handler = handlers[service.full_name]
        described = zip(service.methods, api.descriptor.methods, strict=True)
        for method, descriptor in [*described] * TURNS:
            for binding in method.http:
                request = random_record(rng, descriptor.request, keeps_rules=rng.random() < 0.9)
                answer = random_record(rng, descriptor.response, keeps_rules=rng.random() < 0.9)
                handler.asked.clear()
                handler.answers = {method.name: [answer]}
                path, query, body = as_http(request, binding, method)
                if path.endswith("/"):
                    continue  # No path has an empty segment.
                status, value = await http(binding.verb, path, query, body)
                broken = broken_rule(request, descriptor.request)
                if broken is not None:
                    assert status == 400
                    assert value["errors"] == [{"field": broken.path, "detail": broken.reason}]
                    assert handler.asked == {}
                    continue
                assert handler.asked == {method.name: [request]}
                if broken_rule(answer, descriptor.response) is not None:
                    assert status == 500
                    continue
                assert status == 200, (binding, path, query, value)
                assert value == json.loads(json.dumps(to_json(method.response, answer)))


def to_json(type_: Any, record: Any) -> Any:
    functions = importlib.import_module(names.json_module(type_.module))
    return getattr(functions, names.to_json_function(type_.name))(record)


def as_http(request: Any, binding: HttpBinding, method: Method) -> tuple[str, str, bytes]:
    """A request as HTTP has it: path, query and body."""
    value = to_json(method.request, request)
    variables = {field.name: value.get(field.json_name, "") for field in binding.path_fields}
    path = "/" + "/".join(
        segment if isinstance(segment, str) else quote(str(variables[segment.name]), safe="")
        for segment in binding.segments
    )
    query: list[str] = []
    for field in binding.query:
        values = value.get(field.json_name, [])
        for item in values if field.repeated else [values] if field.json_name in value else []:
            text = str(item).lower() if isinstance(item, bool) else str(item)
            query.append(f"{quote(field.json_name, safe='')}={quote(text, safe='')}")
    body = {
        key: item
        for key, item in value.items()
        if key not in {field.json_name for field in binding.path_fields}
    }
    content = json.dumps(body).encode() if binding.has_body else b""
    return path, "&".join(query), content


def test_the_openapi_document_has_every_route_and_all_that_it_refers_to(
    files: list[ContractFile],
) -> None:
    apis = http_apis(files)
    document = openapi([api for *_, api in apis], title="Made up")
    operations = [each for item in document["paths"].values() for each in item.values()]
    bindings = [b for _, service, _ in apis for method in service.methods for b in method.http]
    assert len(operations) == len(bindings)
    assert len({each["operationId"] for each in operations}) == len(operations)
    wanted = json.dumps(document).split('"#/components/schemas/')[1:]
    assert {part.partition('"')[0] for part in wanted} <= document["components"]["schemas"].keys()
