"""What gRPC does about failing calls and several addresses, because we told it to."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from msgspec import structs

from conformance.checks.rules import GOOD
from conformance.handler import Conformance
from conformance.requests import chunked, collected, download, events, failure_of, new_key, waiting
from conformance.v1.conformance import (
    AcceptRequest,
    AddRequest,
    EchoRequest,
    FailRequest,
    Failure,
    IncludeRequest,
    JournalRequest,
    ObserveRequest,
    RelayRequest,
)
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from conformance.wiring import ServerProcess, server_process, wired
from seam.bus import (
    GrpcChannel,
    HandlerRegistry,
    InProcessChannel,
    Invoke,
    StreamInvoke,
    open_channel,
    servicer,
)
from seam.bus.grpc.connection import service_config, target_of
from seam.bus.grpc.server import make_server
from seam.call.context import CallContext
from seam.contract import MethodDescriptor, ServiceDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record
from seam.testing.proxy import Proxy, proxying


async def once(request: AcceptRequest) -> AsyncIterator[AcceptRequest]:
    yield request


CALLS: dict[str, Callable[[ConformanceStub, str], Awaitable[object]]] = {
    "Echo": lambda stub, _: stub.echo(EchoRequest()),
    "Fail": lambda stub, _: stub.fail(FailRequest(failure=Failure.UNSPECIFIED)),
    "Wait": lambda stub, key: stub.wait(waiting(timedelta(), key), timeout=5),
    "Observe": lambda stub, _: stub.observe(ObserveRequest(respond={}, refuse=False)),
    "Relay": lambda stub, key: stub.relay(RelayRequest(span=None, limit=None, depth=1, key=key)),
    "Add": lambda stub, key: stub.add(AddRequest(key=key)),
    "Include": lambda stub, key: stub.include(IncludeRequest(key=key, name="a")),
    "Download": lambda stub, key: collected(stub.download(download(3, key=key))),
    "Upload": lambda stub, _: stub.upload(chunked(3)),
    "Converse": lambda stub, _: collected(stub.converse(chunked(3))),
    "Accept": lambda stub, key: stub.accept(structs.replace(GOOD, key=key)),
    "AcceptEach": lambda stub, _: collected(stub.accept_each(once(GOOD))),
    "Journal": lambda stub, key: stub.journal(JournalRequest(key=key)),
}
"""A call of each method of the contract."""

NETWORKS = ("gRPC", "NATS")
"""Transports between processes, which retry alike."""

RETRIABLE = ("Echo", "Wait", "Include", "Download", "Accept", "Journal")


@dataclass
class Loses:
    """Loses what a handler answers: the first times, or always.

    Attributes:
        lose: loses an answer; by default, a status says in its place that nobody answers.
        times: how many answers are lost.
        answered: what was answered, whether or not it was lost: names of methods.
    """

    lose: Callable[[], object] = lambda: None
    times: int = 1
    answered: list[str] = field(default_factory=list)

    def _answer(self, method: MethodDescriptor[Any, Any]) -> None:
        self.answered.append(method.name)
        if len(self.answered) <= self.times:
            self.lose()
            raise StatusError(Code.UNAVAILABLE, "the answer was lost")

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        response = await proceed(request, call)
        self._answer(method)
        return response

    async def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        responses = [response async for response in proceed(requests, call)]
        self._answer(method)
        for response in responses:
            yield response


@asynccontextmanager
async def through_a_proxy(loses: Loses) -> AsyncIterator[tuple[ConformanceStub, Proxy]]:
    """A stub that calls a server over a connection that can be cut."""
    async with (
        wired("gRPC", server=(loses,)) as wiring,
        proxying(wiring.address) as proxy,
        open_channel(proxy.address, [CONFORMANCE]) as connection,
    ):
        yield ConformanceStub(GrpcChannel(connection)), proxy


def test_retries_and_balancing_are_rendered_from_the_contract() -> None:
    service = "conformance.v1.Conformance"
    assert service_config([CONFORMANCE]) == {
        "loadBalancingConfig": [
            {
                "outlier_detection_experimental": {
                    "interval": "0.5s",
                    "baseEjectionTime": "5s",
                    "maxEjectionTime": "30s",
                    "maxEjectionPercent": 50,
                    "failurePercentageEjection": {
                        "threshold": 90,
                        "enforcementPercentage": 100,
                        "minimumHosts": 2,
                        "requestVolume": 3,
                    },
                    "childPolicy": [{"round_robin": {}}],
                }
            }
        ],
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": [
            {
                "name": [{"service": service, "method": name} for name in RETRIABLE],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }


def test_a_contract_without_retriable_methods_is_given_no_retries() -> None:
    unretriable = tuple(method for method in CONFORMANCE.methods if not method.retriable)
    config = service_config([ServiceDescriptor(CONFORMANCE.name, unretriable)])
    assert config.keys() == {"loadBalancingConfig", "healthCheckConfig"}


@pytest.mark.parametrize(
    ("addresses", "target"),
    [
        (["127.0.0.1:7101"], "127.0.0.1:7101"),
        (["inventory.internal:7101"], "inventory.internal:7101"),
        (["dns:///inventory.internal:7101"], "dns:///inventory.internal:7101"),
        (["unix:/run/inventory"], "unix:/run/inventory"),
        (["10.0.0.1:7101", "10.0.0.2:7101"], "ipv4:10.0.0.1:7101,10.0.0.2:7101"),
        (["[::1]:7101", "[::1]:7102"], "ipv6:[::1]:7101,[::1]:7102"),
    ],
)
def test_addresses_become_a_target(addresses: list[str], target: str) -> None:
    assert target_of(addresses) == target


def test_every_method_of_the_contract_is_called_here() -> None:
    # Who is let in to the others is seen through by the suite.
    public = tuple(method.name for method in CONFORMANCE.methods if method.access.public)
    assert tuple(CALLS) == public
    assert {m.name for m in CONFORMANCE.methods if m.retriable} == set(RETRIABLE)


@pytest.mark.parametrize("name", RETRIABLE)
@pytest.mark.parametrize("loss", ["a status", "a cut connection"])
async def test_a_retriable_method_whose_answer_is_lost_is_called_again(
    name: str, loss: str
) -> None:
    loses = Loses()
    async with through_a_proxy(loses) as (stub, proxy):
        if loss == "a cut connection":
            loses.lose = proxy.cut
        await CALLS[name](stub, new_key())
    assert loses.answered == [name, name]


@pytest.mark.parametrize("name", [name for name in CALLS if name not in RETRIABLE])
@pytest.mark.parametrize("loss", ["a status", "a cut connection"])
async def test_a_method_that_is_not_retriable_is_called_once_though_its_answer_is_lost(
    name: str, loss: str
) -> None:
    loses = Loses()
    async with through_a_proxy(loses) as (stub, proxy):
        if loss == "a cut connection":
            loses.lose = proxy.cut
        error = await failure_of(CALLS[name](stub, new_key()))
        await asyncio.sleep(0.2)
    assert error.code is Code.UNAVAILABLE
    assert loses.answered == [name]


@pytest.mark.parametrize("transport", NETWORKS)
async def test_a_duplicate_has_one_effect_and_shows_in_the_journal(transport: str) -> None:
    key, loses = new_key(), Loses()
    async with wired(transport, server=(loses,)) as wiring:
        assert (await wiring.stub.include(IncludeRequest(key=key, name="a"))).size == 1
        assert await events(wiring.direct, key) == {"include": 2}


@pytest.mark.parametrize("transport", NETWORKS)
async def test_a_lost_answer_of_a_method_that_counts_is_counted_once(transport: str) -> None:
    key, loses = new_key(), Loses()
    async with wired(transport, server=(loses,)) as wiring:
        await failure_of(wiring.stub.add(AddRequest(key=key)))
        assert (await wiring.stub.add(AddRequest(key=key))).number == 2
        assert await events(wiring.direct, key) == {"add": 2}


@pytest.mark.parametrize("name", CALLS)
async def test_over_nats_the_same_methods_are_called_again(name: str) -> None:
    loses = Loses()
    async with wired("NATS", server=(loses,)) as wiring:
        if name in RETRIABLE:
            await CALLS[name](wiring.stub, new_key())
            assert loses.answered == [name] * 2
        else:
            error = await failure_of(CALLS[name](wiring.stub, new_key()))
            assert error.code is Code.UNAVAILABLE
            assert loses.answered == [name]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("transport", ["by reference", "strict"])
async def test_nothing_is_called_again_within_a_process(transport: str, name: str) -> None:
    loses = Loses()
    async with wired(transport, server=(loses,)) as wiring:
        error = await failure_of(CALLS[name](wiring.stub, new_key()))
        await asyncio.sleep(0.1)
    assert (error.code, error.message) == (Code.UNAVAILABLE, "the answer was lost")
    assert loses.answered == [name]


async def test_a_stream_is_not_begun_again_when_responses_have_arrived() -> None:
    key = new_key()
    async with (
        wired("gRPC") as wiring,
        proxying(wiring.address) as proxy,
        open_channel(proxy.address, [CONFORMANCE]) as connection,
    ):
        stub = ConformanceStub(GrpcChannel(connection))
        received: list[int] = []

        async def read() -> None:
            async for chunk in stub.download(download(1_000_000, key=key)):
                received.append(chunk.number)
                if len(received) == 3:
                    assert proxy.cut() == 1

        assert (await failure_of(read())).code is Code.UNAVAILABLE
        assert received == list(range(len(received))), "nothing comes twice"
        async with asyncio.timeout(10):
            while "download.ended" not in (seen := await events(wiring.direct, key)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert seen["download.ended"] == 1


@pytest.mark.parametrize("transport", NETWORKS)
async def test_a_peer_that_always_fails_is_given_four_attempts_and_then_fewer(
    transport: str,
) -> None:
    loses = Loses(times=1_000)
    attempts = []
    async with wired(transport, server=(loses,)) as wiring:
        for _ in range(12):
            before = len(loses.answered)
            error = await failure_of(wiring.stub.echo(EchoRequest()))
            assert error.code is Code.UNAVAILABLE
            attempts.append(len(loses.answered) - before)
    assert attempts[0] == 4
    assert attempts[2:] == [1] * 10, "the budget is spent"


@pytest.mark.parametrize("transport", NETWORKS)
async def test_calls_that_go_well_fill_the_budget_again(transport: str) -> None:
    loses = Loses(times=1_000)
    async with wired(transport, server=(loses,)) as wiring:
        for _ in range(8):
            await failure_of(wiring.stub.echo(EchoRequest()))
        loses.times = 0
        for _ in range(120):
            await wiring.stub.echo(EchoRequest())
        loses.answered.clear()
        loses.times = 2
        await wiring.stub.echo(EchoRequest())
    assert len(loses.answered) == 3


@pytest.mark.parametrize("transport", NETWORKS)
async def test_retries_wait_longer_each_time(transport: str) -> None:
    times: list[float] = []
    loses = Loses(lose=lambda: times.append(time.monotonic()), times=1_000)
    async with wired(transport, server=(loses,)) as wiring:
        await failure_of(wiring.stub.echo(EchoRequest()))
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    # gRPC waits a fifth more or less than 50, 100 and 200 ms.
    assert len(pauses) == 3
    assert all(pause > least for pause, least in zip(pauses, (0.03, 0.07, 0.15), strict=True))
    assert sum(pauses) < 5


async def test_retries_end_with_the_call_s_time() -> None:
    class Slow(Loses):
        async def unary(
            self,
            method: MethodDescriptor[Any, Any],
            request: Record,
            call: CallContext,
            proceed: Invoke,
        ) -> Record:
            await asyncio.sleep(0.2)
            return await super().unary(method, request, call, proceed)

    loses = Slow(times=1_000)
    async with wired("gRPC", server=(loses,)) as wiring:
        begun = time.monotonic()
        error = await failure_of(wiring.stub.echo(EchoRequest(), timeout=0.35))
        assert error.code is Code.DEADLINE_EXCEEDED
        assert time.monotonic() - begun < 3
        await asyncio.sleep(0.6)
    assert 1 <= len(loses.answered) <= 2


@asynccontextmanager
async def server_processes(count: int) -> AsyncIterator[list[ServerProcess]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server_process()) for _ in range(count)]


@asynccontextmanager
async def stub_to(addresses: Sequence[str]) -> AsyncIterator[ConformanceStub]:
    async with open_channel(target_of(addresses), [CONFORMANCE]) as connection:
        yield ConformanceStub(GrpcChannel(connection))


async def counts(servers: Sequence[ServerProcess], key: str, event: str) -> list[int]:
    """How often each server noted an event."""
    found = []
    for server in servers:
        async with stub_to([server.address]) as stub:
            found.append((await events(stub, key)).get(event, 0))
    return found


async def all_found(stub: ConformanceStub, servers: Sequence[ServerProcess]) -> None:
    """Wait until calls reach every server."""
    key = new_key()
    async with asyncio.timeout(10):
        while 0 in await counts(servers, key, "include"):
            for _ in range(2 * len(servers)):
                with suppress(StatusError):
                    await stub.include(IncludeRequest(key=key, name="a"))


@pytest.mark.parametrize("count", [2, 3])
async def test_calls_are_spread_over_all_addresses(count: int) -> None:
    key = new_key()
    async with (
        server_processes(count) as servers,
        stub_to([server.address for server in servers]) as stub,
    ):
        await all_found(stub, servers)
        await asyncio.gather(*(stub.add(AddRequest(key=key)) for _ in range(30 * count)))
        shares = await counts(servers, key, "add")
    assert sum(shares) == 30 * count
    assert min(shares) >= 20, shares


async def test_a_name_is_looked_up() -> None:
    async with server_processes(1) as servers:
        port = servers[0].address.rpartition(":")[2]
        async with stub_to([f"dns:///localhost:{port}"]) as stub:
            assert (await stub.add(AddRequest(key=new_key()))).number == 1


async def test_a_server_on_a_unix_socket_that_is_killed_is_found_again() -> None:
    # A Unix socket's path may have 107 bytes, fewer than a sandbox's path often has.
    with tempfile.TemporaryDirectory(prefix="seam-") as directory:
        async with (
            server_process(f"unix:{directory}/socket") as server,
            stub_to([server.address]) as stub,
        ):
            assert (await stub.add(AddRequest(key="a"))).number == 1
            await server.kill()
            assert (await failure_of(stub.add(AddRequest(key="a")))).code is Code.UNAVAILABLE
            await server.start()
            async with asyncio.timeout(5):
                await all_found(stub, [server])
            assert (await stub.add(AddRequest(key="a"))).number == 1


LOADED = ("Add", "Echo", "Include", "Relay", "Wait")
"""An odd number of calls, so that each of them comes to each of two servers in turn."""


@dataclass
class Load:
    """Calls at a steady pace, and how each of them ended.

    Attributes:
        outcomes: (when it began, method, outcome) of each call.
    """

    stub: ConformanceStub
    outcomes: list[tuple[float, str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as calls:
            while True:
                for name in LOADED:
                    calls.create_task(self._call(name))
                await asyncio.sleep(0.02)

    async def _call(self, name: str) -> None:
        begun, key = time.monotonic(), new_key()
        self.keys.append(key)
        # Calls that take a while are under way at any moment.
        span = timedelta(seconds=0.05)
        try:
            match name:
                case "Add":
                    await self.stub.add(AddRequest(key=key))
                case "Include":
                    await self.stub.include(IncludeRequest(key=key, name="a"))
                case "Relay":
                    await self.stub.relay(RelayRequest(span=span, limit=None, depth=0, key=key))
                case "Wait":
                    await self.stub.wait(waiting(span), timeout=5)
                case _:
                    await self.stub.echo(EchoRequest())
            outcome = "OK"
        except StatusError as error:
            outcome = error.code.name
        self.outcomes.append((begun, name, outcome))

    def since(self, moment: float) -> Counter[tuple[str, str]]:
        return Counter((name, outcome) for begun, name, outcome in self.outcomes if begun >= moment)


async def test_a_server_that_is_killed_under_load_is_left_and_found_again() -> None:
    async with (
        server_processes(2) as servers,
        stub_to([server.address for server in servers]) as stub,
    ):
        await all_found(stub, servers)
        load = Load(stub)
        running = asyncio.create_task(load.run())
        await asyncio.sleep(0.5)
        await servers[0].kill()
        killed = time.monotonic()
        await asyncio.sleep(1.5)
        await servers[0].start()
        back = time.monotonic()
        key = new_key()
        async with asyncio.timeout(10):
            while 0 in await counts(servers, key, "include"):
                await stub.include(IncludeRequest(key=key, name="a"))
        found_after = time.monotonic() - back
        await asyncio.sleep(0.3)
        running.cancel()
        await asyncio.wait([running])
        async with stub_to([servers[1].address]) as survivor:
            noted = await asyncio.gather(*(events(survivor, each) for each in load.keys))
        every = load.since(0)
        outcomes = {
            called: {outcome for name, outcome in every if name == called} for called in LOADED
        }
        assert min(every[name, "OK"] for name in outcomes) > 50
        # What may be called twice goes well all the time; for the rest the caller learns at once.
        assert outcomes["Echo"] == outcomes["Include"] == outcomes["Wait"] == {"OK"}, every
        assert outcomes["Add"] <= {"OK", "UNAVAILABLE"}, every
        assert outcomes["Relay"] == {"OK", "UNAVAILABLE"}, every
        assert {outcome for _, outcome in load.since(killed + 1)} == {"OK"}, every
        # Its calls failed, so that the other had them all for five seconds.
        assert found_after < 7
        for event in ("add", "wait.begun"):
            assert max(each.get(event, 0) for each in noted) == 1, "none was made twice"


@dataclass
class HealthyServer:
    """A server in this process that says whether it serves."""

    registry: HandlerRegistry
    health: health.aio.HealthServicer

    async def says(self, status: int) -> None:
        await self.health.set("", status)


@asynccontextmanager
async def healthy_server(port: int = 0) -> AsyncIterator[tuple[str, HealthyServer]]:
    running = HealthyServer(HandlerRegistry(), health.aio.HealthServicer())
    running.registry.register(register_conformance(Conformance()))
    server = make_server()
    server.add_generic_rpc_handlers([servicer(CONFORMANCE, running.registry)])
    health_pb2_grpc.add_HealthServicer_to_server(running.health, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await running.says(health_pb2.HealthCheckResponse.SERVING)
    await server.start()
    try:
        yield f"127.0.0.1:{port}", running
    finally:
        await server.stop(None)


async def test_a_server_that_says_it_does_not_serve_gets_no_calls_until_it_does() -> None:
    async with (
        healthy_server() as (first_address, first),
        healthy_server() as (second_address, second),
        stub_to([first_address, second_address]) as stub,
    ):
        directly = [ConformanceStub(InProcessChannel(each.registry)) for each in (first, second)]

        async def shares(count: int = 20) -> list[int]:
            key = new_key()
            await asyncio.gather(*(stub.add(AddRequest(key=key)) for _ in range(count)))
            return [(await events(each, key)).get("add", 0) for each in directly]

        async def until(served: list[bool]) -> None:
            async with asyncio.timeout(5):
                while [share > 0 for share in await shares()] != served:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

        await until([True, True])
        await first.says(health_pb2.HealthCheckResponse.NOT_SERVING)
        await until([False, True])
        assert await shares(100) == [0, 100]
        await first.says(health_pb2.HealthCheckResponse.SERVING)
        await until([True, True])
        for each in (first, second):
            await each.says(health_pb2.HealthCheckResponse.NOT_SERVING)
        await asyncio.sleep(0.3)
        error = await failure_of(stub.add(AddRequest(key=new_key())))
        assert error.code is Code.UNAVAILABLE


async def test_a_peer_that_was_away_for_long_is_found_again_soon_after_it_is_back() -> None:
    async with healthy_server() as (address, _), stub_to([address]) as stub:
        await stub.echo(EchoRequest())
    async with stub_to([address]) as stub:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            error = await failure_of(stub.echo(EchoRequest(), timeout=1))
            assert error.code in {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}
            await asyncio.sleep(0.05)
        async with healthy_server(int(address.rpartition(":")[2])):
            back = time.monotonic()
            async with asyncio.timeout(10):
                while True:
                    try:
                        await stub.add(AddRequest(key=new_key()), timeout=1)
                    except StatusError:
                        await asyncio.sleep(0.02)
                    else:
                        break
            # At most 1 s between attempts, a fifth more when chance will have it; gRPC's own
            # back-off would be at 4 s by now.
            assert time.monotonic() - back < 2.5


async def test_calls_to_a_peer_that_is_gone_fail_at_once_and_not_at_their_deadline() -> None:
    async with healthy_server() as (address, _):
        pass
    async with stub_to([address]) as stub:
        begun = time.monotonic()
        error = await failure_of(stub.add(AddRequest(key=new_key()), timeout=30))
        assert error.code is Code.UNAVAILABLE
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", ["Add", "Upload", "Converse"])
async def test_a_call_whose_connection_is_aborted_ends_with_unavailable(name: str) -> None:
    """Before anything is answered, while the handler is at work."""
    handled = asyncio.Event()

    class Sticks(Loses):
        async def unary(
            self,
            method: MethodDescriptor[Any, Any],
            request: Record,
            call: CallContext,
            proceed: Invoke,
        ) -> Record:
            handled.set()
            await asyncio.sleep(30)
            return await proceed(request, call)

        async def stream(
            self,
            method: MethodDescriptor[Any, Any],
            requests: AsyncIterator[Record],
            call: CallContext,
            proceed: StreamInvoke,
        ) -> AsyncIterator[Record]:
            handled.set()
            await asyncio.sleep(30)
            async for response in proceed(requests, call):
                yield response

    async with through_a_proxy(Sticks()) as (stub, proxy):
        call = asyncio.ensure_future(failure_of(CALLS[name](stub, new_key())))
        await asyncio.wait_for(handled.wait(), 10)
        begun = time.monotonic()
        proxy.cut()
        assert (await call).code is Code.UNAVAILABLE
        assert time.monotonic() - begun < 5
