"""A team brings a gRPC service that it already has: servicer and callers stay as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import grpc
import pytest
from grpc_examples.v1 import greeter_pb2, greeter_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lib.grpc_inprocess.examples import Greeter
from seam.bus import Registration
from seam.runtime import GrpcServicer, Resources, Service
from seam.runtime.hosting import hosting
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address, Process, Topology

NAME = "grpc_examples.v1.Greeter"
ANYWHERE = Address("127.0.0.1", 0)


@asynccontextmanager
async def greet(_: Resources) -> AsyncIterator[Sequence[Registration | GrpcServicer]]:
    register = partial(greeter_pb2_grpc.add_GreeterServicer_to_server, Greeter())
    yield (GrpcServicer(register),)


class Visitor:
    """A service that greets itself through the other one's stub."""

    def __init__(self) -> None:
        self.stub: greeter_pb2_grpc.GreeterAsyncStub | None = None

    @asynccontextmanager
    async def visit(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        self.stub = greeter_pb2_grpc.GreeterStub(resources.grpc_channel(NAME))
        yield ()


async def greeting(stub: greeter_pb2_grpc.GreeterAsyncStub | None, name: str) -> str:
    assert stub is not None
    reply = await stub.SayHello(greeter_pb2.HelloRequest(name=name), timeout=5)
    return reply.message


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


@pytest.fixture
def services(visitor: Visitor) -> list[Service]:
    return [Service("grpc_examples", greet), Service("visitor", visitor.visit, needs=(NAME,))]


@pytest.fixture
def databases(services: list[Service], tmp_path: Path) -> dict[str, DatabaseLocation]:
    return {
        service.name: DatabaseLocation(f"sqlite:///{tmp_path}/{service.name}.db", embedded=True)
        for service in services
    }


async def test_it_is_called_without_a_socket_when_it_lives_in_the_same_process(
    visitor: Visitor, services: list[Service], databases: dict[str, DatabaseLocation]
) -> None:
    process = Process("all", ("grpc_examples", "visitor"), http=ANYWHERE)
    topology = Topology({"all": process})
    async with hosting(process, topology, services, databases, title="test"):
        assert await greeting(visitor.stub, "neighbour") == "Hello, neighbour!"


async def test_it_is_called_over_the_network_when_it_lives_in_another(
    visitor: Visitor, services: list[Service], databases: dict[str, DatabaseLocation]
) -> None:
    host = Process("host", ("grpc_examples",), grpc=ANYWHERE)
    async with hosting(host, Topology({"host": host}), services, databases, title="a") as bound:
        there = Process("host", ("grpc_examples",), grpc=bound.grpc)
        here = Process("here", ("visitor",), http=ANYWHERE)
        topology = Topology({"host": there, "here": here})
        async with hosting(here, topology, services, databases, title="b"):
            assert await greeting(visitor.stub, "stranger") == "Hello, stranger!"


async def test_its_port_answers_for_its_health(
    services: list[Service], databases: dict[str, DatabaseLocation]
) -> None:
    process = Process("host", ("grpc_examples",), grpc=ANYWHERE)
    topology = Topology({"host": process})
    async with (
        hosting(process, topology, services, databases, title="test") as bound,
        grpc.aio.insecure_channel(str(bound.grpc)) as channel,
    ):
        answer = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=NAME), timeout=5
        )
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_service_that_is_nowhere_is_named(
    services: list[Service], databases: dict[str, DatabaseLocation]
) -> None:
    process = Process("here", ("visitor",), http=ANYWHERE)
    topology = Topology({"here": process})
    with pytest.raises(SettingsError, match="'grpc_examples' is needed here but runs in no"):
        async with hosting(process, topology, services, databases, title="test"):
            raise AssertionError("it was started")
