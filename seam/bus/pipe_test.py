from __future__ import annotations

import asyncio
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seam.bus.pipe import Pipe


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_items_come_in_their_order_and_then_the_end() -> None:
    pipe: Pipe[int] = Pipe(3)
    for number in range(3):
        assert await pipe.put(number)
    pipe.end()
    assert [number async for number in pipe] == [0, 1, 2]
    assert await anext(pipe, None) is None


async def test_a_writer_waits_while_the_pipe_is_full() -> None:
    pipe: Pipe[int] = Pipe(2)
    await pipe.put(0)
    await pipe.put(1)
    writing = asyncio.create_task(pipe.put(2))
    await turns()
    assert not writing.done()
    assert await anext(pipe) == 0
    assert await writing
    assert [await anext(pipe), await anext(pipe)] == [1, 2]


async def test_a_reader_waits_while_the_pipe_is_empty() -> None:
    pipe: Pipe[int] = Pipe(2)
    reading = asyncio.create_task(pipe.__anext__())
    await turns()
    assert not reading.done()
    await pipe.put(7)
    assert await reading == 7


async def test_an_error_of_the_writer_follows_what_it_has_written() -> None:
    pipe: Pipe[int] = Pipe(2)
    await pipe.put(0)
    pipe.end(KeyError("lost"))
    pipe.end()
    assert await anext(pipe) == 0
    for _ in range(2):
        with pytest.raises(KeyError, match="lost"):
            await anext(pipe)


async def test_who_abandons_is_heard_before_what_is_written() -> None:
    pipe: Pipe[int] = Pipe(1)
    await pipe.put(0)
    writing = asyncio.create_task(pipe.put(1))
    await turns()
    pipe.abandon(TimeoutError("late"))
    assert not await writing
    with pytest.raises(TimeoutError, match="late"):
        await anext(pipe)


async def test_what_has_ended_and_was_read_cannot_be_abandoned() -> None:
    pipe: Pipe[int] = Pipe(1)
    pipe.end()
    pipe.abandon(TimeoutError("late"))
    assert await anext(pipe, None) is None


async def test_a_writer_learns_that_nobody_reads() -> None:
    pipe: Pipe[int] = Pipe(1)
    await pipe.put(0)
    writing = asyncio.create_task(pipe.put(1))
    await turns()
    pipe.close()
    assert not await writing
    assert not await pipe.put(2)


async def test_one_who_stops_waiting_may_come_again() -> None:
    pipe: Pipe[int] = Pipe(1)
    reading = asyncio.create_task(pipe.__anext__())
    await turns()
    reading.cancel()
    await asyncio.wait([reading])
    await pipe.put(0)
    writing = asyncio.create_task(pipe.put(1))
    await turns()
    writing.cancel()
    await asyncio.wait([writing])
    assert await anext(pipe) == 0
    await pipe.put(2)
    assert await anext(pipe) == 2


ACTIONS = ("put", "get", "turn", "cancel put", "cancel get", "end", "fail", "abandon", "close")


@given(
    capacity=st.integers(1, 3),
    actions=st.lists(
        st.one_of(st.sampled_from(ACTIONS[:5]), st.sampled_from(ACTIONS)), max_size=50
    ),
)
@settings(max_examples=500, deadline=None)
def test_whatever_the_order_nothing_is_lost_doubled_or_stuck(
    capacity: int, actions: list[str]
) -> None:
    async def play() -> None:
        pipe: Pipe[int] = Pipe(capacity)
        error, late = KeyError("writer"), TimeoutError("late")
        written: deque[int] = deque()
        ended_with: BaseException | None = None
        ended = abandoned = closed = False
        reading: asyncio.Task[int] | None = None
        writing: asyncio.Task[None] | None = None
        number = 0

        async def put(item: int) -> None:
            # The model is written to when the pipe is: in the same turn.
            if await pipe.put(item):
                assert not closed
                written.append(item)
            else:
                assert closed

        async def get() -> int:
            try:
                item = await anext(pipe)
            except StopAsyncIteration:
                assert ended
                assert not abandoned
                assert not written or closed
                return -1
            except (KeyError, TimeoutError) as raised:
                wrong = raised is not (late if abandoned else ended_with)
                early = written and not abandoned and not closed
                if wrong or early:
                    raise AssertionError("it was not the time for this error") from raised
                return -1
            assert written.popleft() == item
            return item

        for action in actions:
            if action == "put" and not ended and (writing is None or writing.done()):
                if writing is not None and not writing.cancelled():
                    writing.result()
                writing = asyncio.create_task(put(number))
                number += 1
            elif action == "get" and (reading is None or reading.done()):
                if reading is not None and not reading.cancelled():
                    reading.result()
                reading = asyncio.create_task(get())
            elif action == "turn":
                await turns(2)
                assert len(written) <= capacity
                waits = writing is not None and not writing.done()
                assert not waits or (len(written) == capacity and not closed)
                hungry = reading is not None and not reading.done()
                assert not hungry or (not written and not ended)
            elif action == "cancel put" and writing is not None:
                await turns(2)
                writing.cancel()
                await turns(2)
            elif action == "cancel get" and reading is not None:
                await turns(2)
                reading.cancel()
                await turns(2)
            elif action in {"end", "fail"} and not ended and (writing is None or writing.done()):
                ended, ended_with = True, error if action == "fail" else None
                pipe.end(ended_with)
            elif action == "abandon":
                if not (ended and not written):
                    ended = abandoned = True
                closed = True
                written.clear()
                pipe.abandon(late)
            elif action == "close":
                closed = True
                written.clear()
                pipe.close()
        await turns()
        pipe.close()
        closed = True
        written.clear()
        if not ended:
            ended = True
            pipe.end()
        for task in (reading, writing):
            if task is not None:
                await asyncio.wait([task], timeout=5)
                assert task.done(), "it is stuck"
                if not task.cancelled():
                    task.result()

    asyncio.run(play())
