"""One busy service does not take everything."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.handler import Conformance
from conformance.requests import (
    LONG,
    chunk,
    chunked,
    download,
    events,
    failure_of,
    new_key,
    noted,
    waiting,
)
from conformance.v1.conformance import Chunk, EchoRequest, WaitRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from conformance.wiring import TRANSPORTS, listening, wired
from seam.bus import Bulkhead, GrpcChannel, HandlerRegistry, InProcessChannel, Limits, open_channel
from seam.bus.bulkhead import REFUSAL_INTERVAL
from seam.contract.errors import Code, StatusError


async def enter(bulkhead: Bulkhead) -> None:
    """Take a place, as the endpoint does."""
    if bulkhead.free:
        bulkhead.free -= 1
    else:
        await bulkhead.wait()


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_places_are_given_in_the_order_in_which_they_were_asked_for() -> None:
    bulkhead, entered = Bulkhead("shop", Limits(1, 10)), []

    async def visit(number: int) -> None:
        await enter(bulkhead)
        entered.append(number)
        await asyncio.sleep(0)
        bulkhead.leave()

    await asyncio.gather(*(visit(number) for number in range(11)))
    assert entered == list(range(11))
    assert bulkhead.free == 1


async def test_a_full_queue_refuses_at_once_and_names_the_service() -> None:
    bulkhead = Bulkhead("shop", Limits(2, 1))
    await enter(bulkhead)
    await enter(bulkhead)
    waiter = asyncio.create_task(enter(bulkhead))
    await turns()
    with pytest.raises(StatusError) as raised:
        await enter(bulkhead)
    assert raised.value.code is Code.RESOURCE_EXHAUSTED
    assert raised.value.message == "shop answers 2 calls and 1 more are waiting"
    bulkhead.leave()
    await waiter


async def test_a_bulkhead_without_a_queue_refuses_whom_it_cannot_take() -> None:
    bulkhead = Bulkhead("shop", Limits(1, 0))
    await enter(bulkhead)
    with pytest.raises(StatusError, match="shop answers 1 calls and 0 more are waiting"):
        await enter(bulkhead)
    bulkhead.leave()
    await enter(bulkhead)


async def test_who_gives_up_waiting_leaves_its_turn_to_the_next() -> None:
    bulkhead = Bulkhead("shop", Limits(1, 2))
    await enter(bulkhead)
    first, second = (asyncio.create_task(enter(bulkhead)) for _ in range(2))
    await turns()
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    bulkhead.leave()
    await second
    bulkhead.leave()
    assert bulkhead.free == 1


async def test_a_place_given_to_one_who_leaves_at_that_moment_goes_to_the_next() -> None:
    bulkhead = Bulkhead("shop", Limits(1, 2))
    await enter(bulkhead)
    first, second = (asyncio.create_task(enter(bulkhead)) for _ in range(2))
    await turns()
    bulkhead.leave()
    first.cancel()
    await asyncio.wait([first, second], timeout=5)
    assert first.cancelled()
    assert second.done()
    bulkhead.leave()
    assert bulkhead.free == 1


async def test_a_place_freed_at_the_moment_in_which_the_next_gives_up_is_not_lost() -> None:
    bulkhead = Bulkhead("shop", Limits(1, 2))
    await enter(bulkhead)
    first, second = (asyncio.create_task(enter(bulkhead)) for _ in range(2))
    await turns()
    first.cancel()
    bulkhead.leave()
    await asyncio.wait([first, second], timeout=5)
    assert first.cancelled(), first
    assert second.done()
    bulkhead.leave()
    assert bulkhead.free == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["come", "go", "give up", "turn"]), st.integers(0, 9)), max_size=60
)


@given(
    concurrent=st.integers(1, 3),
    queued=st.integers(0, 3),
    steps=STEPS,
)
@settings(max_examples=300, deadline=None)
def test_no_place_is_ever_lost_or_given_twice(
    concurrent: int, queued: int, steps: list[tuple[str, int]]
) -> None:
    async def play() -> None:
        bulkhead = Bulkhead("shop", Limits(concurrent, queued))
        inside: list[asyncio.Event] = []
        most = refused = 0
        visits: list[asyncio.Task[None]] = []
        outside: list[asyncio.Task[None] | None] = []

        async def visit() -> None:
            nonlocal most, refused
            outside.append(asyncio.current_task())
            try:
                await enter(bulkhead)
            except StatusError:
                refused += 1
                return
            finally:
                outside.remove(asyncio.current_task())
            leaving = asyncio.Event()
            inside.append(leaving)
            most = max(most, len(inside))
            try:
                await leaving.wait()
            finally:
                inside.remove(leaving)
                bulkhead.leave()

        for action, number in steps:
            if action == "come":
                visits.append(asyncio.create_task(visit()))
            elif action == "go" and inside:
                inside[number % len(inside)].set()
            elif action == "give up" and (
                task := (outside or [None])[number % max(1, len(outside))]
            ):
                task.cancel()
            elif action == "turn":
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            while not all(each.done() for each in visits):
                for leaving in tuple(inside):
                    leaving.set()
                await asyncio.sleep(0)
        assert [each for each in visits if not each.cancelled() and each.exception()] == []
        assert most <= concurrent
        assert refused == 0 or len(visits) > concurrent + queued
        assert bulkhead.free == concurrent

    asyncio.run(play())


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_a_service_answers_so_many_calls_queues_so_many_and_refuses_the_rest(
    transport: str,
) -> None:
    bulkhead = Bulkhead("conformance", Limits(concurrent=2, queued=1))
    async with wired(transport, bulkhead=bulkhead) as wiring:
        keys = [new_key() for _ in range(4)]
        stuck = [
            asyncio.create_task(wiring.stub.wait(waiting(LONG, key), timeout=30))
            for key in keys[:2]
        ]
        for key in keys[:2]:
            await noted(wiring.direct, key, "wait.begun")
        third = asyncio.create_task(wiring.stub.wait(waiting(timedelta(), keys[2]), timeout=30))
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        error = await failure_of(wiring.stub.wait(waiting(LONG, keys[3]), timeout=30))
        assert time.monotonic() - begun < 2
        assert error.code is Code.RESOURCE_EXHAUSTED
        assert error.message == "conformance answers 2 calls and 1 more are waiting"
        assert not third.done()
        assert await events(wiring.direct, keys[2]) == {}
        stuck[0].cancel()
        await asyncio.wait_for(third, 10)
        stuck[1].cancel()
        await asyncio.wait(stuck)
        assert await events(wiring.direct, keys[3]) == {}
        await all_left(bulkhead, 2)


async def test_waiting_for_a_place_ends_with_the_call_s_time(transport: str) -> None:
    bulkhead = Bulkhead("conformance", Limits(concurrent=1, queued=1))
    async with wired(transport, bulkhead=bulkhead) as wiring:
        key, late = new_key(), new_key()
        stuck = asyncio.create_task(wiring.stub.wait(waiting(LONG, key), timeout=30))
        await noted(wiring.direct, key, "wait.begun")
        begun = time.monotonic()
        error = await failure_of(wiring.stub.wait(waiting(timedelta(), late), timeout=0.3))
        assert error.code is Code.DEADLINE_EXCEEDED
        assert 0.2 < time.monotonic() - begun < 5
        # It has left the queue as well: another one may wait now, and is not refused.
        error = await failure_of(wiring.stub.wait(waiting(timedelta(), late), timeout=0.3))
        assert error.code is Code.DEADLINE_EXCEEDED
        stuck.cancel()
        await asyncio.wait([stuck])
        await all_left(bulkhead, 1)
        assert await events(wiring.direct, late) == {}


async def test_a_stream_counts_while_it_lasts(transport: str) -> None:
    bulkhead = Bulkhead("conformance", Limits(concurrent=1, queued=0))
    async with wired(transport, bulkhead=bulkhead) as wiring:
        goes_on = asyncio.Event()

        async def questions() -> AsyncIterator[Chunk]:
            yield chunk(0)
            await goes_on.wait()

        async with wiring.stub.converse(questions()) as answers:
            await anext(answers)
            error = await failure_of(wiring.stub.echo(EchoRequest()))
            assert error.code is Code.RESOURCE_EXHAUSTED
            error = await failure_of(anext(wiring.stub.download(download(1))))
            assert error.code is Code.RESOURCE_EXHAUSTED
            goes_on.set()
            assert await anext(answers, None) is None
        await all_left(bulkhead, 1)
        await wiring.stub.echo(EchoRequest())
        async with wiring.stub.download(download(1_000_000)) as chunks:
            await anext(chunks)
            assert bulkhead.free == 0
        await all_left(bulkhead, 1)


async def test_a_stream_that_fails_before_it_begins_leaves_its_place() -> None:
    class Broken(Conformance):
        def converse(self, requests: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
            raise RuntimeError("not even begun")

    bulkhead = Bulkhead("conformance", Limits(concurrent=1, queued=0))
    async with wired("by reference", bulkhead=bulkhead, handler=Broken()) as wiring:
        for _ in range(3):
            error = await failure_of(anext(wiring.stub.converse(chunked(0))))
            assert error.code is Code.INTERNAL
        assert bulkhead.free == 1


@pytest.mark.parametrize("transport", ["by reference", "gRPC"])
async def test_a_service_that_is_stuck_and_full_leaves_the_latency_of_others_alone(
    transport: str,
) -> None:
    """Two services of one process: both have the contract that shows everything."""
    free, stuck = Conformance(), Conformance()
    stuck_bulkhead = Bulkhead("stuck", Limits(concurrent=4, queued=4))
    registries = [HandlerRegistry(), HandlerRegistry()]
    registries[0].register(register_conformance(free), Bulkhead("free", Limits(4, 4)))
    registries[1].register(register_conformance(stuck), stuck_bulkhead)
    channels = [InProcessChannel(registry) for registry in registries]
    async with (
        listening(registries[0]) as free_address,
        listening(registries[1]) as stuck_address,
        open_channel(free_address, [CONFORMANCE]) as to_free,
        open_channel(stuck_address, [CONFORMANCE]) as to_stuck,
    ):
        remote = transport == "gRPC"
        free_stub = ConformanceStub(GrpcChannel(to_free) if remote else channels[0])
        stuck_stub = ConformanceStub(GrpcChannel(to_stuck) if remote else channels[1])
        before = await median_latency(free_stub)
        calls = [
            asyncio.create_task(
                stuck_stub.wait(WaitRequest(span=LONG, key="", in_background=False), timeout=30)
            )
            for _ in range(20)
        ]
        async with asyncio.timeout(10):
            while sum(call.done() for call in calls) < 12:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert stuck_bulkhead.free == 0
        during = await median_latency(free_stub)
        assert sum(call.done() for call in calls) == 12
        for call in calls:
            call.cancel()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        refused = [each for each in outcomes if isinstance(each, StatusError)]
        assert [each.code for each in refused] == [Code.RESOURCE_EXHAUSTED] * 12
        assert during < 5 * before + 0.005, (before, during)
        await all_left(stuck_bulkhead, 4)


async def test_callers_that_insist_are_refused_at_a_pace(transport: str) -> None:
    """Or else refusing them would cost the process more than answering."""
    bulkhead = Bulkhead("conformance", Limits(concurrent=1, queued=0))
    refused = 0
    async with wired(transport, bulkhead=bulkhead) as wiring:

        async def insist(end: float) -> None:
            nonlocal refused
            while time.monotonic() < end:
                error = await failure_of(wiring.stub.echo(EchoRequest()))
                assert error.code is Code.RESOURCE_EXHAUSTED
                refused += 1

        async with wiring.stub.download(download(1_000_000)) as chunks:
            await anext(chunks)
            begun = time.monotonic()
            await asyncio.gather(*(insist(begun + 0.3) for _ in range(20)))
            most = (time.monotonic() - begun) / REFUSAL_INTERVAL + 1
        assert 20 <= refused <= most
        await all_left(bulkhead, 1)


async def median_latency(stub: ConformanceStub) -> float:
    taken = []
    for _ in range(100):
        begun = time.perf_counter()
        await stub.echo(EchoRequest())
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[50]


async def all_left(bulkhead: Bulkhead, places: int) -> None:
    """Wait until every place is free again; over a network, a callee ends after its caller."""
    async with asyncio.timeout(10):
        while bulkhead.free != places:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(3))
async def test_under_a_random_load_with_callers_that_give_up_no_place_is_lost(
    transport: str, seed: int
) -> None:
    chance = random.Random(seed)
    bulkhead = Bulkhead("conformance", Limits(concurrent=3, queued=5))
    async with wired(transport, bulkhead=bulkhead) as wiring:

        async def call() -> str:
            await asyncio.sleep(chance.random() * 0.2)
            span = timedelta(seconds=chance.random() * 0.03)
            try:
                if chance.random() < 0.5:
                    await wiring.stub.wait(waiting(span), timeout=chance.choice([0.02, 5]))
                else:
                    async with wiring.stub.download(download(50)) as chunks:
                        for _ in range(chance.randrange(60)):
                            await anext(chunks, None)
            except StatusError as error:
                return error.code.name
            return "OK"

        async def impatient() -> str:
            try:
                return await asyncio.wait_for(call(), chance.choice([0.1, 10]))
            except TimeoutError:
                return "given up"

        outcomes = await asyncio.gather(*(impatient() for _ in range(100)))
        allowed = {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "given up"}
        assert set(outcomes) <= allowed, f"seed {seed}"
        assert "OK" in outcomes
        await all_left(bulkhead, 3)
