"""What goes away while calls are under way: processes, links, and the NATS server itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from conformance.handler import Conformance
from conformance.requests import (
    LONG,
    PATIENCE,
    broken_off,
    chunk,
    collected,
    download,
    endless,
    events,
    failure_of,
    new_key,
    noted,
    waiting,
)
from conformance.v1.conformance import (
    AddRequest,
    Chunk,
    EchoRequest,
    IncludeRequest,
    RelayRequest,
)
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from conformance.wiring import server_process
from seam.bus import Bulkhead, HandlerRegistry, Limits
from seam.bus.nats import NatsChannel, open_nats, serve_nats
from seam.bus.nats.protocol import INTERVAL, LEAST_PAYLOAD, calls_subject
from seam.bus.nats.protocol import PATIENCE as SILENT_INTERVALS
from seam.contract.errors import Code, StatusError
from seam.testing.nats import NatsServer
from seam.testing.proxy import Proxy, proxying

AT_ONCE = 1.0
SECONDS = INTERVAL * SILENT_INTERVALS + 5
"""In which somebody who is silent is noticed, on a machine that is busy."""


@asynccontextmanager
async def calling(url: str) -> AsyncIterator[ConformanceStub]:
    async with open_nats(url) as caller:
        yield ConformanceStub(NatsChannel(caller))


@asynccontextmanager
async def answering(url: str, *, grace: float = 0) -> AsyncIterator[Conformance]:
    handler, registry = Conformance(), HandlerRegistry()
    registry.register(register_conformance(handler))
    async with serve_nats(url, [CONFORMANCE], registry, grace=grace):
        yield handler


@asynccontextmanager
async def proxied(server: NatsServer) -> AsyncIterator[tuple[str, Proxy]]:
    """A URL of a server, and the proxy that it leads through."""
    async with proxying(server.address) as proxy:
        yield f"nats://{proxy.address}", proxy


async def until_answered(stub: ConformanceStub) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StatusError):
                await stub.echo(EchoRequest())
                return
            await asyncio.sleep(0.05)


async def handler_noted(handler: Conformance, key: str, event: str) -> None:
    async with asyncio.timeout(SECONDS):
        while event not in handler.noted(key):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_without_anybody_who_answers_a_call_is_refused_at_once_and_the_log_says_it_once(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with calling(nats_server.url) as stub:
        begun = time.monotonic()
        for _ in range(5):
            error = await failure_of(stub.add(AddRequest(key="")))
            assert (error.code, error.message) == (
                Code.UNAVAILABLE,
                "conformance is not available",
            )
        error = await failure_of(collected(stub.converse(broken_off(LONG, key=""))))
        assert error.code is Code.UNAVAILABLE
        assert time.monotonic() - begun < AT_ONCE
    assert [record.message for record in caplog.records] == [
        "conformance.v1.Conformance is not available: no process answers"
    ]


@pytest.mark.parametrize(
    ("end", "seconds"), [(signal.SIGKILL, INTERVAL + 3), (signal.SIGSTOP, SECONDS)]
)
async def test_calls_under_way_end_when_the_process_that_answers_them_is_gone(
    nats_server: NatsServer, end: signal.Signals, seconds: float
) -> None:
    async with server_process(nats_server.url) as server, calling(nats_server.url) as stub:
        key = new_key()
        relay = RelayRequest(span=LONG, limit=LONG, depth=1, key=key)

        async def silent() -> AsyncIterator[Chunk]:
            yield chunk(0, key=key)
            await asyncio.sleep(60)

        # None of them is made again: they may have had an effect.
        calls = [
            asyncio.ensure_future(failure_of(call))
            for call in (
                stub.relay(relay, timeout=60),
                stub.upload(silent(), timeout=60),
                collected(stub.converse(silent(), timeout=60)),
            )
        ]
        await noted(stub, key, "wait.begun")
        await noted(stub, key, "upload.received")
        begun = time.monotonic()
        os.kill(server.pid, end)
        errors = await asyncio.gather(*calls)
        assert [error.code for error in errors] == [Code.UNAVAILABLE] * 3
        assert time.monotonic() - begun < seconds


async def breaks_off(stub: ConformanceStub, handler: Conformance, proxy: Proxy) -> None:
    """See a call end on both sides when a link breaks, or falls silent."""
    for harm in ("cut", "silence"):
        key = new_key()
        upload = stub.upload(broken_off(LONG, key=key), timeout=60)
        uploading = asyncio.ensure_future(failure_of(upload))
        await handler_noted(handler, key, "upload.received")
        if harm == "cut":
            proxy.cut()
        else:
            proxy.silent = True
        async with asyncio.timeout(SECONDS):
            assert (await uploading).code is Code.UNAVAILABLE
        await handler_noted(handler, key, "upload.ended")
        assert "upload.completed" not in handler.noted(key)
        proxy.silent = False
        await until_answered(stub)


async def test_a_call_ends_on_both_sides_when_its_caller_s_link_breaks(
    nats_server: NatsServer,
) -> None:
    async with (
        answering(nats_server.url) as handler,
        proxied(nats_server) as (url, proxy),
        calling(url) as stub,
    ):
        await breaks_off(stub, handler, proxy)


async def test_a_call_ends_on_both_sides_when_its_callee_s_link_breaks(
    nats_server: NatsServer,
) -> None:
    async with (
        proxied(nats_server) as (url, proxy),
        answering(url) as handler,
        calling(nats_server.url) as stub,
    ):
        await breaks_off(stub, handler, proxy)


async def test_what_a_caller_leaves_without_a_word_is_cancelled(nats_server: NatsServer) -> None:
    async with answering(nats_server.url) as handler:
        key = new_key()
        code = f"""
import asyncio
from conformance.requests import LONG, waiting
from conformance.v1.conformance_bus import ConformanceStub
from seam.bus.nats import NatsChannel, open_nats

async def main():
    async with open_nats({nats_server.url!r}) as caller:
        await ConformanceStub(NatsChannel(caller)).wait(waiting(LONG, {key!r}), timeout=60)

asyncio.run(main())
"""
        caller = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            await handler_noted(handler, key, "wait.begun")
        finally:
            caller.kill()
            await caller.wait()
        await handler_noted(handler, key, "wait.cancelled")


@pytest.mark.parametrize("harm", ["kill", "freeze"])
async def test_a_server_that_goes_away_ends_all_calls_and_is_found_again(
    stoppable_nats: NatsServer, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        answering(stoppable_nats.url) as handler,
        calling(stoppable_nats.url) as stub,
    ):
        key = new_key()
        waits = asyncio.ensure_future(failure_of(stub.wait(waiting(LONG, key), timeout=60)))
        upload = stub.upload(broken_off(LONG, key=key), timeout=60)
        uploading = asyncio.ensure_future(failure_of(upload))
        await handler_noted(handler, key, "wait.begun")
        await handler_noted(handler, key, "upload.received")
        getattr(stoppable_nats, harm)()
        async with asyncio.timeout(SECONDS):
            errors = await asyncio.gather(waits, uploading)
        assert {(error.code, error.message) for error in errors} == {
            (Code.UNAVAILABLE, "conformance is not available")
        }
        await handler_noted(handler, key, "wait.cancelled")
        await handler_noted(handler, key, "upload.ended")
        begun = time.monotonic()
        error = await failure_of(stub.add(AddRequest(key=key)))
        assert error.code is Code.UNAVAILABLE
        assert time.monotonic() - begun < AT_ONCE
        if harm == "freeze":
            stoppable_nats.thaw()
        else:
            stoppable_nats.start()
        await until_answered(stub)
        assert "add" not in handler.noted(key)
    lines = [record.message for record in caplog.records if "NATS server" in record.message]
    away = [line for line in lines if "is not available" in line]
    # One line of the caller's connection and one of the callee's.
    assert len(away) == len(lines) - len(away) == 2, lines


async def test_a_server_that_is_not_there_yet_is_waited_for(stoppable_nats: NatsServer) -> None:
    stoppable_nats.kill()
    async with (
        answering(stoppable_nats.url),
        calling(stoppable_nats.url) as stub,
    ):
        error = await failure_of(stub.add(AddRequest(key="")))
        assert error.code is Code.UNAVAILABLE
        stoppable_nats.start()
        await until_answered(stub)


async def test_a_call_is_made_again_only_if_its_contract_allows_it(
    nats_server: NatsServer,
) -> None:
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(server_process(nats_server.url)) for _ in range(2)
        ]
        stub = await stack.enter_async_context(calling(nats_server.url))
        key = new_key()
        outcomes: Counter[str] = Counter()

        async def call(number: int) -> None:
            try:
                await stub.include(IncludeRequest(key=key, name=str(number)), timeout=20)
                outcomes["include"] += 1
                await stub.echo(EchoRequest(), timeout=20)
                outcomes["echo"] += 1
            except StatusError as error:
                outcomes[error.code.name] += 1

        async def calls(first: int) -> None:
            for number in range(first, first + 40):
                await call(number)

        working = asyncio.gather(*(calls(40 * worker) for worker in range(4)))
        await asyncio.sleep(0.05)
        os.kill(servers[0].pid, signal.SIGKILL)
        await working
        assert outcomes["include"] + outcomes["UNAVAILABLE"] >= 160
        assert outcomes["UNAVAILABLE"] <= 2, outcomes


async def test_replicas_share_calls_and_one_that_ends_finishes_its_own(
    nats_server: NatsServer,
) -> None:
    async with (
        answering(nats_server.url) as stays,
        calling(nats_server.url) as stub,
    ):
        key = new_key()
        async with answering(nats_server.url, grace=PATIENCE) as leaves:
            async with asyncio.TaskGroup() as calls:
                for _ in range(200):
                    calls.create_task(stub.add(AddRequest(key=key)))
            shares = stays.noted(key)["add"], leaves.noted(key)["add"]
            assert sum(shares) == 200
            assert min(shares) > 50
            late = [
                asyncio.ensure_future(stub.wait(waiting(LONG / 60, key), timeout=20))
                for _ in range(20)
            ]
            # Of 20 calls, one of two that are alike gets none once in a million times.
            await handler_noted(leaves, key, "wait.begun")
        await asyncio.gather(*late)
        async with asyncio.TaskGroup() as calls:
            for _ in range(50):
                calls.create_task(stub.add(AddRequest(key=key)))
        assert stays.noted(key)["add"] == shares[0] + 50


async def test_a_call_that_outlasts_the_end_of_its_process_is_unavailable(
    nats_server: NatsServer,
) -> None:
    async with calling(nats_server.url) as stub:
        async with answering(nats_server.url) as handler:
            key = new_key()
            call = asyncio.ensure_future(failure_of(stub.wait(waiting(LONG, key), timeout=60)))
            await handler_noted(handler, key, "wait.begun")
        begun = time.monotonic()
        assert (await call).code is Code.UNAVAILABLE
        assert time.monotonic() - begun < AT_ONCE
        assert "wait.cancelled" in handler.noted(key)


async def test_what_is_no_call_is_passed_over(nats_server: NatsServer) -> None:
    async with (
        answering(nats_server.url),
        open_nats(nats_server.url) as other,
        calling(nats_server.url) as stub,
    ):
        for payload in (b"", b"\x00", b"hello", b"\x98" + bytes(40), b"\xc1" * 1_000):
            other.connection.post(calls_subject(CONFORMANCE.name), payload, "someone.1")
            for number in (1, 2, 10**17):
                other.connection.post(f"{other.connection.inbox}.{number}", payload, "someone.2")
        await stub.echo(EchoRequest())


@pytest.mark.parametrize("payload", [LEAST_PAYLOAD, LEAST_PAYLOAD - 1])
async def test_a_server_that_lets_only_small_messages_through_is_enough_or_refused(
    tmp_path: Path, payload: int, caplog: pytest.LogCaptureFixture
) -> None:
    server = NatsServer(tmp_path)
    configuration = tmp_path / "nats.conf"
    configuration.write_text(f"{configuration.read_text()}\nmax_payload: {payload}\n")
    server.start()
    try:
        async with answering(server.url), calling(server.url) as stub:
            if payload < LEAST_PAYLOAD:
                assert (await failure_of(stub.add(AddRequest(key="")))).code is Code.UNAVAILABLE
                assert f"its max_payload is {payload}; expected {LEAST_PAYLOAD}" in caplog.text
                return
            chunks = await collected(stub.download(download(3, size=1_000_000)))
            assert [len(each.data) for each in chunks] == [1_000_000] * 3
    finally:
        server.kill()


async def test_many_slow_streams_at_once_do_not_hold_each_other_up(
    nats_server: NatsServer,
) -> None:
    handler, registry = Conformance(), HandlerRegistry()
    registry.register(register_conformance(handler), Bulkhead("conformance", Limits(100, 0)))
    async with (
        serve_nats(nats_server.url, [CONFORMANCE], registry, grace=0),
        calling(nats_server.url) as stub,
        AsyncExitStack() as stack,
    ):
        for _ in range(50):
            stream = stub.download(download(1_000, size=100_000), timeout=60)
            await anext(await stack.enter_async_context(stream))
        begun = time.monotonic()
        assert len(await collected(stub.download(download(20, size=100_000)))) == 20
        numbers = [each.number for each in await collected(stub.converse(endless(stop_at=4)))]
        assert numbers == [0, 1, 2, 3, 4]
        assert time.monotonic() - begun < PATIENCE
        assert await events(stub, "nobody") == {}
