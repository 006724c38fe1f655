"""Services of a process, with their limits, over sockets and within the process."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from conformance.handler import Conformance
from conformance.requests import LONG, events, failure_of, new_key, noted, waiting
from conformance.v1 import conformance_pb2, conformance_pb2_grpc
from conformance.v1.conformance import (
    AddRequest,
    AddResponse,
    EchoRequest,
    EchoResponse,
    JournalRequest,
    WaitRequest,
)
from conformance.v1.conformance_bus import (
    CONFORMANCE,
    CONFORMANCE_ECHO,
    ConformanceStub,
    register_conformance,
)
from seam.bus import (
    GrpcChannel,
    Interceptor,
    Invoke,
    Limits,
    Registration,
    StreamInvoke,
    open_channel,
)
from seam.call.context import CallContext
from seam.contract import MethodDescriptor, ServiceDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record
from seam.runtime.hosting import Bound, hosting
from seam.runtime.service import DatabaseLocation, Resources, Service
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address, Process, Topology
from seam.runtime.topology_file import read_topology

GREETER_ECHO = replace(CONFORMANCE_ECHO, service="greeter.v1.Greeter")
GREETER = ServiceDescriptor("greeter.v1.Greeter", (GREETER_ECHO,))
"""A contract of another service, with one method."""

ANY = Address("127.0.0.1", 0)


@dataclass
class Shown:
    """A service that shows how calls behave, and whatever it started with."""

    handler: Conformance = field(default_factory=Conformance)
    closed: bool = False

    @property
    def service(self) -> Service:
        return Service("conformance", self._start)

    @asynccontextmanager
    async def _start(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        self.handler.itself = ConformanceStub(resources.channel(CONFORMANCE))
        try:
            yield (register_conformance(self.handler),)
        finally:
            self.closed = True


@dataclass
class Greeter:
    """A service that needs the other one."""

    stub: ConformanceStub | None = None

    @property
    def service(self) -> Service:
        return Service("greeter", self._start, needs=(CONFORMANCE,))

    @asynccontextmanager
    async def _start(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        self.stub = ConformanceStub(resources.channel(CONFORMANCE))

        async def echo(request: EchoRequest) -> EchoResponse:
            return EchoResponse(payload=request.payload)

        yield (Registration(GREETER, {"Echo": echo}),)


@asynccontextmanager
async def hosted(
    process: Process,
    services: Sequence[Service],
    topology: Topology | None = None,
    *,
    limits: Mapping[str, Limits] | None = None,
    drain: float = 0.0,
    interceptors: tuple[Sequence[Interceptor], Sequence[Interceptor]] = ((), ()),
) -> AsyncIterator[Bound]:
    nowhere = DatabaseLocation("sqlite:///unused.db", embedded=True)
    async with hosting(
        process,
        topology or Topology({process.name: process}, limits=limits or {}),
        services,
        {service.name: nowhere for service in services},
        title="test",
        drain=drain,
        client_interceptors=interceptors[0],
        server_interceptors=interceptors[1],
    ) as bound:
        yield bound


@asynccontextmanager
async def called(bound: Bound) -> AsyncIterator[tuple[ConformanceStub, GrpcChannel]]:
    """A stub of the service at an address, and the channel to call others there."""
    async with open_channel(str(bound.grpc), [CONFORMANCE, GREETER]) as connection:
        channel = GrpcChannel(connection)
        yield ConformanceStub(channel), channel


async def median_latency(channel: GrpcChannel) -> float:
    """Of the greeter's calls."""
    call = channel.unary(GREETER_ECHO)
    taken = []
    for _ in range(60):
        begun = time.perf_counter()
        await call(EchoRequest(), 5, None)
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[30]


async def until_refused(stub: ConformanceStub, message: str) -> None:
    """Wait until the service is full, and see what it says then."""
    error = StatusError(Code.UNKNOWN, "not yet refused")
    async with asyncio.timeout(10):
        while error.code is not Code.RESOURCE_EXHAUSTED:
            try:
                await stub.add(AddRequest(key=""), timeout=0.2)
            except StatusError as raised:
                error = raised
    assert error.message == message


async def test_a_service_that_is_stuck_and_full_leaves_its_neighbour_in_the_monolith_alone() -> (
    None
):
    shown, greeter = Shown(), Greeter()
    process = Process("monolith", ("conformance", "greeter"), grpc=ANY)
    limits = {"conformance": Limits(concurrent=2, queued=1)}
    async with (
        hosted(process, [shown.service, greeter.service], limits=limits) as bound,
        called(bound) as (stub, channel),
    ):
        before = await median_latency(channel)
        keys = [new_key() for _ in range(3)]
        stuck = [asyncio.create_task(stub.wait(waiting(LONG, key), timeout=30)) for key in keys]
        full = "conformance answers 2 calls and 1 more are waiting"
        await until_refused(stub, full)
        during = await median_latency(channel)
        assert not any(call.done() for call in stuck)
        assert during < 5 * before + 0.005, (before, during)
        # Calls of the process itself are counted with those of others.
        assert greeter.stub is not None
        begun = time.monotonic()
        error = await failure_of(greeter.stub.echo(EchoRequest()))
        assert (error.code, error.message) == (Code.RESOURCE_EXHAUSTED, full)
        assert time.monotonic() - begun < 1
        for call in stuck:
            call.cancel()
        await asyncio.wait(stuck)
        async with asyncio.timeout(10):
            while True:
                try:
                    await stub.echo(EchoRequest())
                except StatusError:
                    await asyncio.sleep(0.02)
                else:
                    break
    assert shown.closed


async def test_the_limits_of_a_service_come_from_the_topology_file(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(
        """
        [process.one]
        services = ["conformance"]
        grpc = "127.0.0.1:0"

        [limits.conformance]
        concurrent = 1
        queued = 0
        """
    )
    topology = read_topology(file, known=["conformance"], whole_system=True)
    key = new_key()
    async with (
        hosted(topology.processes["one"], [Shown().service], topology) as bound,
        called(bound) as (stub, _),
    ):
        stuck = asyncio.create_task(stub.wait(waiting(LONG, key), timeout=30))
        await until_refused(stub, "conformance answers 1 calls and 0 more are waiting")
        stuck.cancel()
        await asyncio.wait([stuck])


async def test_the_limits_of_a_service_are_its_own_where_the_topology_says_none() -> None:
    service = replace(Shown().service, limits=Limits(concurrent=1, queued=0))
    process = Process("one", ("conformance",), grpc=ANY)
    async with hosted(process, [service]) as bound, called(bound) as (stub, _):
        stuck = asyncio.create_task(stub.wait(waiting(LONG, new_key()), timeout=30))
        await until_refused(stub, "conformance answers 1 calls and 0 more are waiting")
        stuck.cancel()
        await asyncio.wait([stuck])


async def test_a_service_is_called_over_the_unix_socket_that_the_topology_names(
    tmp_path: Path,
) -> None:
    # A Unix socket's path may have 107 bytes, fewer than a sandbox's path often has.
    with tempfile.TemporaryDirectory(prefix="seam-") as directory:
        file = tmp_path / "topology.toml"
        file.write_text(
            f"""
            [process.shown]
            services = ["conformance"]
            grpc = "unix:{directory}/shown"

            [process.greeter]
            services = ["greeter"]
            grpc = "unix:{directory}/greeter"
            """
        )
        topology = read_topology(file, known=["conformance", "greeter"], whole_system=True)
        shown, greeter = Shown(), Greeter()
        services = [shown.service, greeter.service]
        key = new_key()
        async with (
            hosted(topology.processes["shown"], services, topology) as bound,
            hosted(topology.processes["greeter"], services, topology),
        ):
            assert str(bound.grpc) == f"unix:{directory}/shown"
            assert Path(directory, "shown").is_socket()  # noqa: ASYNC240
            assert greeter.stub is not None
            await greeter.stub.add(AddRequest(key=key))
            assert await events(greeter.stub, key) == {"add": 1}
            assert dict((await shown.handler.journal(JournalRequest(key=key))).events) == {"add": 1}
            async with called(Bound(None, Address.parse(f"unix:{directory}/greeter"))) as (
                _,
                channel,
            ):
                await channel.unary(GREETER_ECHO)(EchoRequest(), None, None)


async def test_calls_of_a_process_are_spread_over_all_places_where_a_service_is_reached() -> None:
    replicas = [Shown(), Shown()]
    process = Process("shown", ("conformance",), grpc=ANY)
    greeter = Greeter()
    key = new_key()
    async with AsyncExitStack() as stack:
        bound = [
            await stack.enter_async_context(hosted(process, [each.service])) for each in replicas
        ]
        advertise = tuple(str(each.grpc) for each in bound)
        home = Process("greeter", ("greeter",), grpc=ANY)
        topology = Topology({"shown": replace(process, advertise=advertise), "greeter": home})
        await stack.enter_async_context(
            hosted(home, [replicas[0].service, greeter.service], topology)
        )
        assert greeter.stub is not None
        async with asyncio.timeout(10):
            shares = [0, 0]
            while 0 in shares:
                await greeter.stub.add(AddRequest(key=key))
                shares = [
                    (await each.handler.journal(JournalRequest(key=key))).events.get("add", 0)
                    for each in replicas
                ]


async def test_a_handler_that_blocks_a_hosted_process_is_named_in_its_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Blocks(Conformance):
        async def add(self, request: AddRequest) -> AddResponse:
            time.sleep(0.3)  # noqa: ASYNC251
            return AddResponse(number=0)

    process = Process("one", ("conformance",), grpc=ANY)
    async with (
        hosted(process, [Shown(Blocks()).service]) as bound,
        called(bound) as (stub, _),
    ):
        await asyncio.sleep(0.1)
        await stub.add(AddRequest(key=""))
        await asyncio.sleep(0.2)
    logged = [
        record.getMessage()
        for record in caplog.records
        if record.name == "seam.runtime.watchdog" and record.levelno == logging.WARNING
    ]
    assert len(logged) == 1
    assert logged[0].startswith("conformance.v1.Conformance/Add blocked the event loop for ")


async def test_what_takes_long_at_the_start_is_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @asynccontextmanager
    async def start(_: Resources) -> AsyncIterator[Sequence[Registration]]:
        time.sleep(0.3)  # noqa: ASYNC251
        yield ()

    process = Process("one", ("slow",), http=ANY, grpc=ANY)
    async with hosted(process, [Service("slow", start)]):
        await asyncio.sleep(0.2)
    assert not [each for each in caplog.records if each.name == "seam.runtime.watchdog"]


@dataclass
class Recorder:
    """Writes down which calls come by."""

    calls: list[str] = field(default_factory=list)

    async def unary(
        self,
        method: MethodDescriptor[Any, Any],
        request: Record,
        call: CallContext,
        proceed: Invoke,
    ) -> Record:
        self.calls.append(method.name)
        return await proceed(request, call)

    def stream(
        self,
        method: MethodDescriptor[Any, Any],
        requests: AsyncIterator[Record],
        call: CallContext,
        proceed: StreamInvoke,
    ) -> AsyncIterator[Record]:
        self.calls.append(method.name)
        return proceed(requests, call)


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
async def test_interceptors_of_a_process_see_its_calls_whether_or_not_they_leave_it(
    apart: bool,
) -> None:
    client, server = Recorder(), Recorder()
    shown, greeter = Shown(), Greeter()
    services = [shown.service, greeter.service]
    async with AsyncExitStack() as stack:
        if apart:
            there = Process("shown", ("conformance",), grpc=ANY)
            bound = await stack.enter_async_context(
                hosted(there, services, interceptors=((), [server]))
            )
            here = Process("greeter", ("greeter",), grpc=ANY)
            topology = Topology({"shown": replace(there, grpc=bound.grpc), "greeter": here})
            await stack.enter_async_context(
                hosted(here, services, topology, interceptors=([client], ()))
            )
        else:
            process = Process("monolith", ("conformance", "greeter"), grpc=ANY)
            await stack.enter_async_context(
                hosted(process, services, interceptors=([client], [server]))
            )
        assert greeter.stub is not None
        await greeter.stub.add(AddRequest(key=""))
        async for _ in greeter.stub.converse(_nothing()):
            pass
        assert client.calls == ["Add", "Converse"]
        assert server.calls == ["Add", "Converse"]


async def _nothing() -> AsyncIterator[Any]:
    for _ in range(0):
        yield


async def test_a_service_that_is_needed_and_runs_nowhere_is_named() -> None:
    process = Process("one", ("greeter",), grpc=ANY)
    with pytest.raises(SettingsError, match="service 'conformance' is needed here but runs in no"):
        async with hosted(process, [Greeter().service]):
            pass


async def test_an_address_that_is_taken_is_named_and_the_services_are_closed() -> None:
    shown = Shown()
    async with hosted(Process("one", ("conformance",), grpc=ANY), [Shown().service]) as bound:
        process = Process("two", ("conformance",), grpc=bound.grpc)
        with pytest.raises(SettingsError, match=f"cannot listen on {bound.grpc}"):
            async with hosted(process, [shown.service]):
                pass
    assert shown.closed


async def test_calls_under_way_are_finished_before_the_services_are_closed() -> None:
    shown, key = Shown(), new_key()
    async with AsyncExitStack() as process:
        bound = await process.enter_async_context(
            hosted(Process("one", ("conformance",), grpc=ANY), [shown.service])
        )
        async with called(bound) as (stub, _):
            slow = asyncio.create_task(stub.wait(waiting(LONG / 60, key), timeout=20))
            await noted(stub, key, "wait.begun")
            ending = asyncio.create_task(process.aclose())
            await slow
            await asyncio.wait_for(ending, 20)
    assert shown.closed


@pytest.mark.parametrize("remote", [False, True])
async def test_a_handler_whose_caller_has_left_ends_before_its_service_is_closed(
    remote: bool,
) -> None:
    shown, greeter, key = Shown(), Greeter(), new_key()
    services = ("conformance", "greeter")
    async with AsyncExitStack() as process:
        bound = await process.enter_async_context(
            hosted(Process("one", services, grpc=ANY), [shown.service, greeter.service])
        )
        async with called(bound) as (over_grpc, _):
            assert greeter.stub is not None
            stub = over_grpc if remote else greeter.stub
            request = WaitRequest(
                span=LONG, key=key, in_background=False, tidy=timedelta(seconds=0.7)
            )
            error = await failure_of(stub.wait(request, timeout=0.3))
            assert error.code is Code.DEADLINE_EXCEEDED
    assert shown.closed
    assert shown.handler.noted(key)["wait.tidied"] == 1


async def test_a_process_that_leaves_says_so_on_both_ports_and_answers_for_a_while() -> None:
    process = Process("one", ("conformance",), http=ANY, grpc=ANY)
    async with AsyncExitStack() as running:
        bound = await running.enter_async_context(hosted(process, [Shown().service], drain=1.0))
        async with (
            httpx.AsyncClient(base_url=f"http://{bound.http}") as client,
            grpc.aio.insecure_channel(str(bound.grpc)) as connection,
            called(bound) as (stub, _),
        ):
            watch = health_pb2_grpc.HealthStub(connection).Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            assert (await client.get("/readyz")).status_code == 200
            await stub.echo(EchoRequest())
            begun = time.monotonic()
            ending = asyncio.create_task(running.aclose())
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200
            # A caller that does not ask for its health is still answered.
            other = conformance_pb2_grpc.ConformanceStub(connection)
            await other.Echo(conformance_pb2.EchoRequest(), timeout=5)
            assert time.monotonic() - begun < 0.9
            await ending
            # Neither those who watch nor those who are connected hold up the end.
            assert 0.9 < time.monotonic() - begun < 5


async def test_figures_of_a_service_are_among_those_of_its_process() -> None:
    answers = [3.0]

    async def waiting_now() -> float:
        return answers.pop()

    async def gone() -> float:
        raise StatusError(Code.UNAVAILABLE, "the database is away")

    @asynccontextmanager
    async def start(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        resources.metrics.counter("letters_sent", "Letters that are gone.", lambda: 7)
        resources.metrics.gauge("letters_waiting", "Letters that wait.", waiting_now)
        resources.metrics.gauge("letters_lost", "Nobody knows.", gone)
        yield ()

    process = Process("alone", ("post",), http=ANY)
    async with (
        hosted(process, [Service("post", start)]) as bound,
        httpx.AsyncClient(base_url=f"http://{bound.http}") as client,
    ):
        first, second = [(await client.get("/metrics")).text.splitlines() for _ in range(2)]
    assert "# HELP post_letters_sent_total Letters that are gone." in first
    assert "post_letters_sent_total 7.0" in first
    # It is measured every few seconds at most.
    for lines in (first, second):
        assert "post_letters_waiting 3.0" in lines
        assert not any(line.startswith("post_letters_lost ") for line in lines)
