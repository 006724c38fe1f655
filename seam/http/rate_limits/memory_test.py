"""Counting in memory: limits hold, and memory does whoever asks."""

from __future__ import annotations

import pytest

from seam.http.rate import Rate
from seam.http.rate_limits.local import LocalLimiter
from seam.http.rate_limits.memory import MemoryStorage


class Clock:
    def __init__(self) -> None:
        self.now = 6_000.0

    def __call__(self) -> float:
        return self.now


async def allowed(limiter: LocalLimiter, key: str, times: int) -> int:
    return [await limiter.hit(key) for _ in range(times)].count(None)


async def test_no_more_than_the_limit_is_allowed_and_each_key_has_its_own() -> None:
    limiter = LocalLimiter("address", Rate(10, 60), MemoryStorage(Clock()))
    assert await allowed(limiter, "a", 25) == 10
    assert await allowed(limiter, "b", 5) == 5


async def test_at_the_edge_of_a_window_nobody_gets_twice_the_limit() -> None:
    clock = Clock()
    limiter = LocalLimiter("address", Rate(100, 60), MemoryStorage(clock))
    clock.now = 6_059.0
    assert await allowed(limiter, "a", 200) == 100
    clock.now = 6_061.0
    assert await allowed(limiter, "a", 200) < 5
    clock.now = 6_090.0
    assert 45 <= await allowed(limiter, "a", 200) <= 55


async def test_a_refusal_says_when_to_come_again_and_that_is_true() -> None:
    clock = Clock()
    limiter = LocalLimiter("address", Rate(10, 60), MemoryStorage(clock))
    await allowed(limiter, "a", 10)
    refused = await limiter.hit("a")
    assert refused is not None
    assert (refused.limit, refused.rate) == ("address", Rate(10, 60))
    clock.now += refused.seconds
    assert await limiter.hit("a") is None


async def test_two_limits_in_one_storage_do_not_count_for_each_other() -> None:
    storage = MemoryStorage(Clock())
    one = LocalLimiter("address", Rate(3, 60), storage)
    other = LocalLimiter("principal", Rate(3, 60), storage)
    assert await allowed(one, "a", 5) == 3
    assert await allowed(other, "a", 5) == 3


async def test_a_million_addresses_take_no_more_memory_than_the_bound() -> None:
    storage = MemoryStorage(Clock(), maximum_keys=1_000)
    limiter = LocalLimiter("address", Rate(2, 60), storage)
    for number in range(20_000):
        assert await limiter.hit(f"{number}") is None
    assert storage.reset() == 1_000


async def test_who_is_counted_stays_so_while_the_table_has_room() -> None:
    storage = MemoryStorage(Clock(), maximum_keys=1_000)
    limiter = LocalLimiter("address", Rate(2, 60), storage)
    await allowed(limiter, "a", 2)
    for number in range(900):
        await limiter.hit(f"{number}")
    assert await limiter.hit("a") is not None


@pytest.mark.parametrize("now", [5_000.0, 0.0, 1e12])
async def test_a_clock_that_is_set_anew_refuses_nobody_for_ever(now: float) -> None:
    clock = Clock()
    limiter = LocalLimiter("address", Rate(2, 60), MemoryStorage(clock))
    await allowed(limiter, "a", 3)
    clock.now = now
    assert await limiter.hit("a") is None
