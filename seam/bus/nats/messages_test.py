"""Messages of one direction of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.bus.nats.messages import MessageReader, MessageWriter
from seam.bus.nats.protocol import PART, PART_OVERHEAD, WINDOW, Credit, Frame, Part, decode, encode
from seam.codec.message_size import MAXIMUM_MESSAGE_BYTES
from seam.contract.errors import Code, StatusError

SIZES = st.lists(
    st.one_of(
        st.integers(0, 100),
        st.integers(PART - 2, PART + 2),
        st.integers(3 * PART - 2, 3 * PART + 2),
        st.integers(WINDOW - 2, 2 * WINDOW),
        st.just(MAXIMUM_MESSAGE_BYTES),
    ),
    max_size=12,
)


class Wire:
    """Carries frames from a writer to a reader and back, each in a turn of its own."""

    def __init__(self) -> None:
        self.reader = MessageReader(self._later(self._credit))
        self.writer = MessageWriter(self._later(self._part))
        self.under_way = self.most_under_way = 0

    def _later(self, take: Callable[[Frame], None]) -> Callable[[Frame], None]:
        def send(frame: Frame) -> None:
            if isinstance(frame, Part):
                self.under_way += len(frame.data) + PART_OVERHEAD
                self.most_under_way = max(self.most_under_way, self.under_way)
            asyncio.get_running_loop().call_soon(take, frame)

        return send

    def _part(self, frame: Frame) -> None:
        assert isinstance(frame, Part)
        assert self.reader.add(frame)

    def _credit(self, frame: Frame) -> None:
        assert isinstance(frame, Credit)
        self.writer.credit(frame.read)


async def read(reader: AsyncIterator[bytes], *, slowly: bool) -> list[int]:
    sizes: list[int] = []
    async for message in reader:
        assert message == bytes(len(message))
        sizes.append(len(message))
        for _ in range(20 * slowly):
            await asyncio.sleep(0)
    return sizes


@given(sizes=SIZES, slowly=st.booleans())
async def test_messages_of_any_size_arrive_whole_and_in_order(
    sizes: list[int], slowly: bool
) -> None:
    wire = Wire()
    async with asyncio.timeout(30):
        reading = asyncio.ensure_future(read(wire.reader, slowly=slowly))
        for size in sizes:
            await wire.writer.write(bytes(size))
        # Ahead of the end, what was written before it has arrived.
        await asyncio.sleep(0)
        wire.reader.end()
        assert await reading == sizes


async def test_a_writer_whose_messages_nobody_reads_stops_at_the_window() -> None:
    wire = Wire()

    async def write() -> None:
        while True:
            await wire.writer.write(bytes(100_000))

    writing = asyncio.ensure_future(write())
    for _ in range(100):
        await asyncio.sleep(0)
    assert not writing.done()
    assert wire.most_under_way <= WINDOW + PART + PART_OVERHEAD
    writing.cancel()


async def test_empty_messages_that_nobody_reads_are_bounded_too() -> None:
    wire = Wire()

    async def write() -> None:
        for _ in range(100_000):
            await wire.writer.write(b"")

    writing = asyncio.ensure_future(write())
    for _ in range(100):
        await asyncio.sleep(0)
    assert wire.writer.number == WINDOW // PART_OVERHEAD
    writing.cancel()


def ignore(_: Frame) -> None:
    pass


def test_a_part_that_was_lost_is_noticed() -> None:
    reader = MessageReader(ignore)
    assert reader.add(Part(0, b"a", last=True))
    assert not reader.add(Part(2, b"c", last=True))
    assert not reader.expects(2)


async def test_a_message_of_which_a_part_is_missing_is_not_taken_for_whole() -> None:
    reader = MessageReader(ignore)
    reader.add(Part(0, b"a", last=False))
    reader.end()
    with pytest.raises(StatusError) as raised:
        await anext(reader)
    assert raised.value.code is Code.INTERNAL


async def test_a_message_that_is_too_large_is_refused_before_all_of_it_came() -> None:
    reader = MessageReader(ignore)
    for number in range(MAXIMUM_MESSAGE_BYTES // PART + 1):
        reader.add(Part(number, bytes(PART), last=False))
    with pytest.raises(StatusError) as raised:
        await anext(reader)
    assert raised.value.code is Code.RESOURCE_EXHAUSTED


@given(st.binary(max_size=50) | st.binary(max_size=50).map(lambda data: b"\x93\x01" + data))
def test_what_is_no_frame_is_none(data: bytes) -> None:
    frame = decode(data)
    assert frame is None or decode(encode(frame)) == frame
