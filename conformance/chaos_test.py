"""Every call ends, and none has its effect twice, whatever happens to its peers and to the way."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest

from conformance.checks.calls import PAYLOAD
from conformance.requests import chunk, events, new_key, waiting
from conformance.v1.conformance import (
    AddRequest,
    Chunk,
    DownloadRequest,
    EchoRequest,
    IncludeRequest,
)
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from conformance.wiring import ServerProcess, nats_server, server_process
from seam.bus import GrpcChannel, open_channel
from seam.bus.grpc.connection import target_of
from seam.bus.nats import NatsChannel, open_nats
from seam.contract.errors import StatusError
from seam.testing.proxy import Proxy, proxying

SECONDS: Final = 10.0
WORKERS: Final = 12

SLACK: Final = 2.0
"""Seconds after its deadline at which a call that has not ended hangs."""

GIVEN_UP: Final = "given up"

ALLOWED: Final = {"OK", "UNAVAILABLE", "DEADLINE_EXCEEDED", GIVEN_UP}


@dataclass
class Load:
    """Calls of all kinds, and how each of them ended."""

    stub: ConformanceStub
    chance: random.Random
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    longest: float = 0.0
    added: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)

    async def work(self, end: float) -> None:
        """Call again and again until `end`."""
        kinds = (
            self._echo,
            self._add,
            self._include,
            self._wait,
            self._download,
            self._upload,
            self._converse,
        )
        while time.monotonic() < end:
            kind = self.chance.choice(kinds)
            seconds = self.chance.uniform(0.2, 1.5)
            patience = self.chance.uniform(0, 0.5) if self.chance.random() < 0.2 else 60
            begun = time.monotonic()
            try:
                await asyncio.wait_for(kind(seconds), patience)
                outcome = "OK"
            except StatusError as error:
                outcome = error.code.name
            except TimeoutError:
                outcome = GIVEN_UP
            self.longest = max(self.longest, time.monotonic() - begun - seconds)
            self.outcomes[kind.__name__.removeprefix("_"), outcome] += 1
            await asyncio.sleep(self.chance.uniform(0, 0.01))

    async def _echo(self, seconds: float) -> None:
        answer = await self.stub.echo(EchoRequest(payload=PAYLOAD), timeout=seconds)
        assert answer.payload == PAYLOAD

    async def _add(self, seconds: float) -> None:
        key = new_key()
        self.added.append(key)
        assert (await self.stub.add(AddRequest(key=key), timeout=seconds)).number == 1

    async def _include(self, seconds: float) -> None:
        request = IncludeRequest(key=new_key(), name="a")
        assert (await self.stub.include(request, timeout=seconds)).size == 1

    async def _wait(self, seconds: float) -> None:
        span = timedelta(seconds=self.chance.uniform(0, 0.3))
        await self.stub.wait(waiting(span), timeout=seconds)

    async def _download(self, seconds: float) -> None:
        count, key = self.chance.randrange(60), self._stream()
        request = DownloadRequest(count=count, size=5_000, pause=timedelta(milliseconds=2), key=key)
        responses = self.stub.download(request, timeout=seconds)
        assert [each.number async for each in responses] == list(range(count))

    async def _upload(self, seconds: float) -> None:
        count = self.chance.randrange(60)
        chunks = self._chunks(count, self._stream())
        answer = await self.stub.upload(chunks, timeout=seconds)
        assert (answer.count, answer.in_order) == (count, True)

    async def _converse(self, seconds: float) -> None:
        count = self.chance.randrange(60)
        chunks = self._chunks(count, self._stream())
        answers = self.stub.converse(chunks, timeout=seconds)
        assert [each.number async for each in answers] == list(range(count))

    async def _chunks(self, count: int, key: str) -> AsyncIterator[Chunk]:
        for number in range(count):
            await asyncio.sleep(0.002)
            yield chunk(number, size=5_000, key=key)

    def _stream(self) -> str:
        self.streams.append(new_key())
        return self.streams[-1]


async def disturb(
    servers: list[ServerProcess], proxies: list[Proxy], chance: random.Random, end: float
) -> Counter[str]:
    """Let things happen to servers, and to the ways to them, until `end`; gives what did."""
    happened: Counter[str] = Counter()
    while time.monotonic() < end:
        await asyncio.sleep(chance.uniform(0.05, 0.4))
        number = chance.randrange(len(servers))
        what = chance.choice(["cut", "delay", "silence", "kill", "cut"])
        happened[what] += 1
        if what == "cut":
            proxies[number].cut()
        elif what == "delay":
            proxies[number].delay = chance.choice([0.0, 0.005, 0.05])
        elif what == "silence":
            proxies[number].silent = True
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            proxies[number].silent = False
        else:
            await servers[number].kill()
            await servers[number].start()
    for proxy in proxies:
        proxy.delay = 0.0
    return happened


@dataclass(frozen=True)
class Surroundings:
    """Servers, the ways to them, and who calls them.

    Attributes:
        servers: processes that answer.
        proxies: the ways that calls take.
        stub: calls one of the servers.
    """

    servers: list[ServerProcess]
    proxies: list[Proxy]
    stub: ConformanceStub


Surround = Callable[[AsyncExitStack, AsyncExitStack], Awaitable[Surroundings]]


async def over_grpc(stack: AsyncExitStack, _: AsyncExitStack) -> Surroundings:
    servers = [await stack.enter_async_context(server_process()) for _ in range(2)]
    proxies = [await stack.enter_async_context(proxying(server.address)) for server in servers]
    connection = await stack.enter_async_context(
        open_channel(target_of([proxy.address for proxy in proxies]), [CONFORMANCE])
    )
    return Surroundings(servers, proxies, ConformanceStub(GrpcChannel(connection)))


async def over_nats(stack: AsyncExitStack, calling: AsyncExitStack) -> Surroundings:
    """One way is the servers', which they share, and the other the caller's."""
    url = stack.enter_context(nats_server())
    ways = [
        await stack.enter_async_context(proxying(url.removeprefix("nats://"))) for _ in range(2)
    ]
    servers = [
        await stack.enter_async_context(server_process(f"nats://{ways[0].address}"))
        for _ in range(2)
    ]
    # Its links are made again, so that their tasks are not those that ran before.
    caller = await calling.enter_async_context(open_nats(f"nats://{ways[1].address}"))
    return Surroundings(servers, ways, ConformanceStub(NatsChannel(caller)))


@pytest.mark.parametrize("surround", [over_grpc, over_nats])
async def test_under_chaos_every_call_ends_and_nothing_is_done_twice(
    surround: Surround,
) -> None:
    seed = int(os.environ.get("CHAOS_SEED", "20261124"))
    try:
        async with asyncio.timeout(60):
            await chaos(random.Random(seed), surround)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


async def chaos(chance: random.Random, surround: Surround) -> None:
    async with AsyncExitStack() as stack:
        calling = await stack.enter_async_context(AsyncExitStack())
        around = await surround(stack, calling)
        servers, proxies = around.servers, around.proxies
        load = Load(around.stub, chance)
        before, complaints = asyncio.all_tasks(), _complaints()
        end = time.monotonic() + SECONDS
        async with asyncio.TaskGroup() as tasks:
            for _ in range(WORKERS):
                tasks.create_task(load.work(end))
            disturbing = tasks.create_task(disturb(servers, proxies, chance, end))
        happened = disturbing.result()

        assert sum(happened.values()) > 10, happened
        assert {outcome for _, outcome in load.outcomes} <= ALLOWED, load.outcomes
        assert load.longest < SLACK, load.longest
        for kind in ("echo", "add", "include", "wait", "download", "upload", "converse"):
            assert load.outcomes[kind, "OK"] > 10, load.outcomes
        assert sum(n for (_, outcome), n in load.outcomes.items() if outcome != "OK") > 10

        await calling.aclose()
        await nothing_left(before)
        if surround is over_grpc:
            await _ended_once(servers, load)
        gc.collect()
        await asyncio.sleep(0)
        assert complaints == []


def _complaints() -> list[dict[str, Any]]:
    """What asyncio finds wrong from now on: forgotten tasks, exceptions that nobody hears."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def _ended_once(servers: list[ServerProcess], load: Load) -> None:
    """What the servers that run in the end have noted: those before them took it along."""
    added: Counter[str] = Counter()
    for server in servers:
        async with open_channel(server.address, [CONFORMANCE]) as connection:
            stub = ConformanceStub(GrpcChannel(connection))
            for key in load.added:
                added[key] += (await events(stub, key)).get("add", 0)
            async with asyncio.timeout(10):
                for key in load.streams:
                    while not _over(await events(stub, key)):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
    assert max(added.values()) == 1


def _over(noted: dict[str, int]) -> bool:
    """Whether a handler with a stream, if it began, has ended, and began once."""
    begun = "download.sent" in noted or "upload.received" in noted
    ended = [count for event, count in noted.items() if event.endswith(".ended")]
    return len(ended) == 1 if begun else True


async def nothing_left(before: set[asyncio.Task[Any]]) -> None:
    """Wait until only those tasks run that ran before, or that carry the proxies' connections."""
    async with asyncio.timeout(10):
        while left := asyncio.all_tasks() - before:
            if all("Proxy." in str(task) for task in left):
                return
            await asyncio.sleep(0.05)
