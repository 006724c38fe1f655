"""The other processes that one calls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from conformance.handler import Conformance
from conformance.requests import new_key
from conformance.v1.conformance import AddRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.bus import HandlerRegistry
from seam.contract import ServiceDescriptor
from seam.runtime.grpc_server import serve_grpc
from seam.runtime.health import Readiness
from seam.runtime.peers import Peer, Peers
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address, Process, Topology

OTHER = ServiceDescriptor(
    "conformance.v2.Conformance",
    tuple(replace(method, service="conformance.v2.Conformance") for method in CONFORMANCE.methods),
)
"""Another contract of the same service."""


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    registry = HandlerRegistry()
    registry.register(register_conformance(Conformance()))
    address = Address("127.0.0.1", 0)
    async with serve_grpc([CONFORMANCE], registry, address, grace=1) as bound:
        yield str(bound)


@asynccontextmanager
async def peers(*addresses: str) -> AsyncIterator[Peers]:
    process = Process("elsewhere", ("conformance",), advertise=addresses)
    async with AsyncExitStack() as stack:
        yield Peers(Topology({process.name: process}), stack, ())


def called(found: Peers) -> Peer:
    """The one peer, once its service is called."""
    found.channel(CONFORMANCE)
    [peer] = found
    assert isinstance(peer, Peer)
    return peer


def unused() -> str:
    """An address where nobody listens."""
    with socket.socket() as briefly:
        briefly.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{briefly.getsockname()[1]}"


async def test_a_peer_that_serves_has_no_problem() -> None:
    async with served() as address, peers(address) as found:
        peer = called(found)
        assert (peer.name, peer.address, peer.services) == (
            "elsewhere",
            address,
            ("conformance",),
        )
        assert await peer.problem() is None


async def test_a_peer_that_nobody_answers_for_is_unreachable() -> None:
    async with peers(unused()) as found:
        assert await called(found).problem() == "unreachable: UNAVAILABLE"


async def test_a_peer_that_accepts_and_says_nothing_is_unreachable_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with peers(f"127.0.0.1:{silent.getsockname()[1]}") as found:
            async with asyncio.timeout(5):
                assert await called(found).problem() == "unreachable: DEADLINE_EXCEEDED"


async def test_of_several_that_are_alike_one_is_enough() -> None:
    dead = unused()
    async with served() as address, peers(dead, address) as found:
        peer = called(found)
        assert peer.address == f"{dead}, {address}"
        for _ in range(5):
            assert await peer.problem() is None


async def test_a_peer_that_says_it_does_not_serve_is_not_ready() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    says = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(says, server)
    await says.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    await server.start()
    try:
        async with peers(f"127.0.0.1:{port}") as found:
            peer = called(found)
            assert await peer.problem() == "not serving"
            await says.set("", health_pb2.HealthCheckResponse.SERVING)
            async with asyncio.timeout(5):
                while await peer.problem():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
    finally:
        await server.stop(None)


async def test_readiness_names_each_peer_and_its_problem() -> None:
    async with peers(unused()) as found:
        called(found)
        readiness = Readiness(["shopping_cart"], found)
        readiness.serving = True
        answer: Any = await readiness()
        assert answer == {
            "ready": False,
            "services": ("shopping_cart",),
            "databases": {},
            "peers": {
                "elsewhere": {
                    "ready": False,
                    "services": ("conformance",),
                    "problem": "unreachable: UNAVAILABLE",
                }
            },
        }


async def test_a_process_is_not_ready_before_it_serves_though_its_peers_are() -> None:
    async with served() as address, peers(address) as found:
        called(found)
        readiness = Readiness([], found)
        assert (await readiness())["ready"] is False
        readiness.serving = True
        assert (await readiness())["ready"] is True


async def test_each_contract_has_one_channel_and_each_process_is_one_peer() -> None:
    async with served() as address, peers(address) as found:
        first = found.channel(CONFORMANCE)
        assert found.channel(CONFORMANCE) is first
        assert found.channel(OTHER) is not first
        assert [peer.name for peer in found] == ["elsewhere"]
        await ConformanceStub(first).add(AddRequest(key=new_key()))


@pytest.mark.parametrize(
    "processes", [{}, {"elsewhere": Process("elsewhere", ("conformance",))}], ids=["none", "mute"]
)
async def test_a_service_that_can_be_found_nowhere_is_named(
    processes: dict[str, Process],
) -> None:
    async with AsyncExitStack() as stack:
        found = Peers(Topology(processes), stack, ())
        with pytest.raises(SettingsError, match="service 'conformance' is needed here but runs in"):
            found.channel(CONFORMANCE)
