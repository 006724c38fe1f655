"""What a process tells of the databases of its services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import MetaData

from conformance.handler import Conformance
from conformance.v1.conformance_bus import CONFORMANCE, register_conformance
from seam.bus import Registration
from seam.contract import ServiceDescriptor
from seam.runtime.hosting import Bound, hosting
from seam.runtime.service import DatabaseLocation, Resources, Service
from seam.runtime.topology import Address, Process, Topology

ANY = Address("127.0.0.1", 0)
OTHER = ServiceDescriptor("other.v1.Other", ())


@asynccontextmanager
async def keep(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
    async with resources.database(MetaData(schema="conformance")):
        yield (register_conformance(Conformance()),)


@asynccontextmanager
async def do_without(_: Resources) -> AsyncIterator[Sequence[Registration]]:
    yield (Registration(OTHER, {}),)


KEEPER = Service("conformance", keep)
CARELESS = Service("other", do_without)


@asynccontextmanager
async def called(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
    resources.channel(CONFORMANCE)
    yield ()


CALLER = Service("caller", called, needs=(CONFORMANCE,))


@asynccontextmanager
async def hosted(
    file: Path, *services: Service, topology: Topology | None = None
) -> AsyncIterator[Bound]:
    process = Process("one", tuple(each.name for each in services), http=ANY, grpc=ANY)
    locations = {
        each.name: DatabaseLocation(f"sqlite:///{file}", embedded=True) for each in services
    }
    processes = {**(topology.processes if topology else {}), "one": process}
    async with hosting(process, Topology(processes), services, locations, title="test") as bound:
        yield bound


async def readiness(bound: Bound) -> tuple[int, dict[str, Any]]:
    async with httpx.AsyncClient() as client:
        response = await client.get(f"http://{bound.http}/readyz")
    return response.status_code, response.json()


async def health(bound: Bound) -> dict[str, bool]:
    async with grpc.aio.insecure_channel(str(bound.grpc)) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        names = ("", CONFORMANCE.name, OTHER.name)
        states = {}
        for name in names:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            except grpc.aio.AioRpcError:
                continue
            states[name] = answer.status == health_pb2.HealthCheckResponse.SERVING
        return states


async def until(expected: dict[str, bool], bound: Bound) -> None:
    async with asyncio.timeout(10):
        while await health(bound) != expected:
            # Looks at the databases now, and not at the next occasion.
            await readiness(bound)
            await asyncio.sleep(0.05)


def take_away(file: Path) -> None:
    file.rename(file.with_name("moved"))


def put_back(file: Path) -> None:
    file.with_name("moved").rename(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.db"


async def test_a_database_that_is_away_is_named_and_the_process_is_not_ready(file: Path) -> None:
    async with hosted(file, KEEPER) as bound:
        assert await readiness(bound) == (
            200,
            {
                "ready": True,
                "services": ["conformance"],
                "databases": {"conformance": {"ready": True}},
                "peers": {},
            },
        )
        take_away(file)
        status, state = await readiness(bound)
        assert (status, state["ready"]) == (503, False)
        assert state["databases"] == {
            "conformance": {"ready": False, "problem": "has lost its file"}
        }
        put_back(file)
        assert (await readiness(bound))[0] == 200


async def test_other_processes_learn_that_the_only_service_cannot_serve_and_that_it_can_again(
    file: Path,
) -> None:
    async with hosted(file, KEEPER) as bound:
        await until({"": True, CONFORMANCE.name: True}, bound)
        take_away(file)
        await until({"": False, CONFORMANCE.name: False}, bound)
        put_back(file)
        await until({"": True, CONFORMANCE.name: True}, bound)


async def test_a_service_whose_database_is_there_serves_on_beside_one_whose_is_not(
    file: Path,
) -> None:
    async with hosted(file, KEEPER, CARELESS) as bound:
        take_away(file)
        await until({"": True, CONFORMANCE.name: False, OTHER.name: True}, bound)


async def test_a_caller_in_another_process_names_the_peer_whose_database_is_away(
    file: Path, tmp_path: Path
) -> None:
    async with hosted(file, KEEPER, CARELESS) as there:
        elsewhere = Process("there", ("conformance", "other"), grpc=there.grpc)
        topology = Topology({"there": elsewhere})
        async with hosted(tmp_path / "caller.db", CALLER, topology=topology) as here:
            assert (await readiness(here))[0] == 200
            take_away(file)
            await until({"": True, CONFORMANCE.name: False, OTHER.name: True}, there)
            status, state = await readiness(here)
            assert status == 503
            assert state["peers"]["there"]["problem"] == "not serving"
