"""Processes that answer each other over NATS."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from sqlalchemy import MetaData

from conformance.handler import Conformance
from conformance.requests import LONG, PATIENCE, failure_of, new_key, waiting
from conformance.v1.conformance import AddRequest, EchoRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.bus import Registration
from seam.contract.errors import Code, StatusError
from seam.runtime import command_line
from seam.runtime.hosting import Bound, hosting
from seam.runtime.service import DatabaseLocation, Resources, Service
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address, Process, Topology
from seam.testing.nats import NatsServer

ANY = Address("127.0.0.1", 0)


class Keeper:
    """Hosts the service that is called, with a database."""

    def __init__(self, server: NatsServer, file: Path) -> None:
        self.handler = Conformance()
        self.process = Process("keeper", ("conformance",), nats=server.url)
        self._location = DatabaseLocation(f"sqlite:///{file}", embedded=True)

    @asynccontextmanager
    async def _start(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        async with resources.database(MetaData(schema="conformance")):
            yield (register_conformance(self.handler),)

    @asynccontextmanager
    async def hosted(self) -> AsyncIterator[Bound]:
        async with hosting(
            self.process,
            Topology({"keeper": self.process}),
            [Service("conformance", self._start)],
            {"conformance": self._location},
            title="test",
        ) as bound:
            yield bound


class Caller:
    """Hosts a service that calls it."""

    def __init__(self, keeper: Process) -> None:
        self._process = Process("caller", ("caller",), http=ANY)
        self._keeper = keeper
        self._url = ""
        self.stub: ConformanceStub

    @asynccontextmanager
    async def _start(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        self.stub = ConformanceStub(resources.channel(CONFORMANCE))
        yield ()

    @asynccontextmanager
    async def hosted(self) -> AsyncIterator[Bound]:
        processes = {each.name: each for each in (self._process, self._keeper)}
        async with hosting(
            self._process,
            Topology(processes),
            [Service("caller", self._start, needs=(CONFORMANCE,))],
            {"caller": DatabaseLocation("sqlite:///unused.db", embedded=True)},
            title="test",
        ) as bound:
            self._url = f"http://{bound.http}/readyz"
            yield bound

    async def peer(self) -> dict[str, Any]:
        """What `/readyz` says of the peer."""
        async with httpx.AsyncClient() as client:
            state: dict[str, Any] = (await client.get(self._url)).json()
        assert state["ready"] == state["peers"]["keeper"]["ready"]
        found: dict[str, Any] = state["peers"]["keeper"]
        return found

    async def until_called(self) -> None:
        """Wait until a call is answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(StatusError):
                    await self.stub.echo(EchoRequest())
                    return
                await asyncio.sleep(0.05)


READY = {"services": ["conformance"], "ready": True}


def away(problem: str) -> dict[str, Any]:
    return {"services": ["conformance"], "ready": False, "problem": f"unreachable: {problem}"}


async def test_a_process_calls_another_over_nats_and_says_when_it_is_away(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    keeper = Keeper(nats_server, tmp_path / "data.db")
    caller = Caller(keeper.process)
    async with caller.hosted():
        assert await caller.peer() == away("no process answers")
        async with keeper.hosted() as bound:
            assert bound.nats == nats_server.address
            assert await caller.peer() == READY
            assert (await caller.stub.add(AddRequest(key="a"))).number == 1
        assert await caller.peer() == away("no process answers")
        error = await failure_of(caller.stub.add(AddRequest(key="a")))
        assert error.code is Code.UNAVAILABLE


async def test_a_server_that_is_away_is_named_and_found_again(
    stoppable_nats: NatsServer, tmp_path: Path
) -> None:
    keeper = Keeper(stoppable_nats, tmp_path / "data.db")
    caller = Caller(keeper.process)
    stoppable_nats.kill()
    async with keeper.hosted(), caller.hosted():
        assert await caller.peer() == away("the NATS server is away")
        stoppable_nats.start()
        await caller.until_called()
        assert await caller.peer() == READY


async def test_a_service_whose_database_is_away_leaves_its_calls_to_others(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    file = tmp_path / "one.db"
    one, two = Keeper(nats_server, file), Keeper(nats_server, tmp_path / "two.db")
    caller = Caller(one.process)
    async with one.hosted(), caller.hosted():
        async with two.hosted():
            file.rename(tmp_path / "moved")
            async with asyncio.timeout(PATIENCE):
                while True:
                    key = new_key()
                    for _ in range(20):
                        await caller.stub.add(AddRequest(key=key))
                    if two.handler.noted(key)["add"] == 20:
                        break
            assert await caller.peer() == READY
        assert await caller.peer() == away("no process answers")
        (tmp_path / "moved").rename(file)
        await caller.until_called()


async def test_calls_under_way_are_finished_when_a_process_is_asked_to_end(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    keeper = Keeper(nats_server, tmp_path / "data.db")
    caller = Caller(keeper.process)
    async with caller.hosted():
        key = new_key()
        async with keeper.hosted():
            call = asyncio.ensure_future(caller.stub.wait(waiting(LONG / 60, key), timeout=20))
            while "wait.begun" not in keeper.handler.noted(key):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not (await call).gave_up


async def test_stubs_that_protoc_has_made_need_an_address_for_grpc(
    nats_server: NatsServer,
) -> None:
    @asynccontextmanager
    async def start(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        channel: grpc.aio.Channel = resources.grpc_channel(CONFORMANCE.name)
        del channel
        yield ()

    keeper = Process("keeper", ("conformance",), nats=nats_server.url)
    process = Process("caller", ("caller",), http=ANY)
    topology = Topology({"keeper": keeper, "caller": process})
    service = Service("caller", start, needs=(CONFORMANCE.name,))
    location = DatabaseLocation("sqlite:///unused.db", embedded=True)
    with pytest.raises(SettingsError, match=r"give process 'keeper' an address for them: grpc"):
        async with hosting(process, topology, [service], {"caller": location}, title="test"):
            raise AssertionError


def test_a_process_that_uses_no_nats_does_not_load_its_client() -> None:
    code = f"import {command_line.__name__}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "seam.runtime.hosting" in loaded
    assert "nats" not in loaded
