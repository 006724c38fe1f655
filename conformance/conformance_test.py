"""The suite, over every transport."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.differences import DIFFERENCES, STRICT_AT_THE_LATEST
from conformance.handler import Conformance
from conformance.issuer import POLICY, SERVICE
from conformance.server import serving
from conformance.suite import CHECKS, Check
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from conformance.wiring import nats_server
from seam.bus import GrpcChannel, HandlerRegistry, InProcessChannel, open_channel
from seam.bus.nats import NatsChannel, open_nats

TRANSPORTS = [
    "by reference",
    "strict",
    "gRPC in one process",
    "gRPC between processes",
    "gRPC over a Unix socket",
    "NATS in one process",
    "NATS between processes",
]


@contextmanager
def server_process(address: str) -> Iterator[str]:
    """The handler in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.server", address],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        yield line.removeprefix("listening on ").strip()
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def tcp_server() -> Iterator[str]:
    with server_process("127.0.0.1:0") as address:
        yield address


@pytest.fixture(scope="module")
def unix_server() -> Iterator[str]:
    # A Unix socket's path may have 107 bytes, fewer than a sandbox's path often has.
    with (
        tempfile.TemporaryDirectory(prefix="seam-") as directory,
        server_process(f"unix:{Path(directory, 'socket')}") as address,
    ):
        yield address


@pytest.fixture(scope="module")
def nats_url() -> Iterator[str]:
    with nats_server() as url:
        yield url


@pytest.fixture(scope="module")
def nats_process() -> Iterator[str]:
    with nats_server() as url, server_process(url):
        yield url


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def stub(transport: str, request: pytest.FixtureRequest) -> AsyncIterator[ConformanceStub]:
    if transport in {"by reference", "strict"}:
        handler = Conformance()
        registry = HandlerRegistry(policy=POLICY)
        registry.register(register_conformance(handler))
        channel = InProcessChannel(registry, strict=transport == "strict")
        handler.itself = ConformanceStub(channel.called_by(SERVICE))
        yield ConformanceStub(channel)
    elif transport == "gRPC in one process":
        async with (
            serving("127.0.0.1:0") as address,
            open_channel(address, [CONFORMANCE]) as connection,
        ):
            yield ConformanceStub(GrpcChannel(connection))
    elif transport == "NATS in one process":
        url = request.getfixturevalue("nats_url")
        async with serving(url), open_nats(url) as caller:
            yield ConformanceStub(NatsChannel(caller))
    elif transport == "NATS between processes":
        async with open_nats(request.getfixturevalue("nats_process")) as caller:
            yield ConformanceStub(NatsChannel(caller))
    else:
        unix = transport == "gRPC over a Unix socket"
        address = request.getfixturevalue("unix_server" if unix else "tcp_server")
        async with open_channel(address, [CONFORMANCE]) as connection:
            yield ConformanceStub(GrpcChannel(connection))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_conformance(transport: str, stub: ConformanceStub, check: Check) -> None:
    expected_to_fail = DIFFERENCES.get(transport, frozenset())
    if transport == "by reference":
        expected_to_fail |= STRICT_AT_THE_LATEST
    if check.__name__ in expected_to_fail:
        with pytest.raises(AssertionError):
            await check(stub)
        return
    async with asyncio.timeout(60):
        await check(stub)
