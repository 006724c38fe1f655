"""Counting in memory: limits hold, and memory does whoever asks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.http.rate import Rate
from seam.http.rate_limits.local import LocalLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 6_000.0

    def __call__(self) -> float:
        return self.now


def limiter_of(rate: Rate, clock: Clock, maximum_keys: int = 1_000) -> LocalLimiter:
    return LocalLimiter("address", rate, clock=clock, maximum_keys=maximum_keys)


async def allowed(limiter: LocalLimiter, key: str, times: int) -> int:
    return [await limiter.hit(key) for _ in range(times)].count(None)


async def test_no_more_than_the_limit_is_allowed_and_each_key_has_its_own() -> None:
    limiter = limiter_of(Rate(10, 60), Clock())
    assert await allowed(limiter, "a", 25) == 10
    assert await allowed(limiter, "b", 5) == 5


async def test_at_the_edge_of_a_window_nobody_gets_twice_the_limit() -> None:
    clock = Clock()
    limiter = limiter_of(Rate(100, 60), clock)
    clock.now = 6_059.0
    assert await allowed(limiter, "a", 200) == 100
    clock.now = 6_061.0
    assert await allowed(limiter, "a", 200) < 5
    clock.now = 6_090.0
    assert 45 <= await allowed(limiter, "a", 200) <= 55


async def test_a_refusal_says_when_to_come_again_and_that_is_true() -> None:
    clock = Clock()
    limiter = limiter_of(Rate(10, 60), clock)
    await allowed(limiter, "a", 10)
    refused = await limiter.hit("a")
    assert refused is not None
    assert (refused.limit, refused.rate) == ("address", Rate(10, 60))
    clock.now += refused.seconds
    assert await limiter.hit("a") is None


async def test_a_million_addresses_take_no_more_memory_than_the_bound() -> None:
    limiter = limiter_of(Rate(2, 60), Clock(), maximum_keys=1_000)
    most = 0
    for number in range(20_000):
        assert limiter.count(f"{number}") is None
        most = max(most, limiter.keys)
    assert most == 1_000


async def test_who_is_counted_stays_so_while_the_table_has_room() -> None:
    limiter = limiter_of(Rate(2, 60), Clock())
    await allowed(limiter, "a", 2)
    for number in range(900):
        await limiter.hit(f"{number}")
    assert await limiter.hit("a") is not None


@given(
    amount=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 40), st.integers(1, 30)), max_size=30),
)
async def test_it_counts_as_the_library_does(amount: int, steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    limiter = limiter_of(Rate(amount, 60), clock)
    counted: dict[int, int] = {}
    for seconds, times in steps:
        clock.now += seconds
        for _ in range(times):
            window = int(clock.now // 60)
            left = 60 - clock.now % 60
            # As SlidingWindowCounterRateLimiter weighs both windows.
            weighed = counted.get(window - 1, 0) * left / 60 + counted.get(window, 0)
            within = math.floor(weighed) + 1 <= amount
            assert (limiter.count("a") is None) is within
            counted[window] = counted.get(window, 0) + within


@pytest.mark.parametrize("now", [5_000.0, 0.0, 1e12])
async def test_a_clock_that_is_set_anew_refuses_nobody_for_ever(now: float) -> None:
    clock = Clock()
    limiter = limiter_of(Rate(2, 60), clock)
    await allowed(limiter, "a", 3)
    clock.now = now
    assert await limiter.hit("a") is None
