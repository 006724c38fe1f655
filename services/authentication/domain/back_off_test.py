from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.authentication.domain.back_off import (
    FORGOTTEN_AFTER,
    FREE_ATTEMPTS,
    LONGEST_WAIT,
    NO_ATTEMPTS,
    Attempts,
    after_one_more,
    wait,
)
from services.authentication.domain.clock import SECOND

NOW = 1_700_000_000 * SECOND
TIMES = st.integers(0, 4_000_000_000).map(lambda seconds: seconds * SECOND)


def guessed(seconds: int) -> int:
    """How many guesses one who never rests has made after a time."""
    attempts, now, made = NO_ATTEMPTS, NOW, 0
    while now < NOW + seconds * SECOND:
        left = wait(attempts, now)
        if left:
            now += left * SECOND
            continue
        attempts = after_one_more(attempts, now)
        made += 1
    return made


def test_a_few_attempts_are_free_and_each_further_one_waits_twice_as_long() -> None:
    attempts, waits = NO_ATTEMPTS, []
    now = NOW
    for _ in range(FREE_ATTEMPTS + 8):
        left = wait(attempts, now)
        waits.append(left)
        now += left * SECOND
        assert wait(attempts, now) == 0
        attempts = after_one_more(attempts, now)
    assert waits == [0] * FREE_ATTEMPTS + [1, 2, 4, 8, 16, 32, 60, 60]


def test_who_never_rests_makes_some_1450_guesses_a_day() -> None:
    assert guessed(86_400) < 1_460


@given(st.integers(0, 10**9), TIMES, TIMES)
def test_nobody_waits_longer_than_the_longest_wait_whatever_the_clock_does(
    failed: int, last: int, now: int
) -> None:
    assert 0 <= wait(Attempts(failed, last), now) <= LONGEST_WAIT // SECOND


@given(st.integers(0, 10**9), TIMES)
def test_after_an_hour_nothing_is_left(failed: int, last: int) -> None:
    later = last + FORGOTTEN_AFTER + 1
    assert wait(Attempts(failed, last), later) == 0
    assert after_one_more(Attempts(failed, last), later) == Attempts(1, later)


def test_a_clock_that_is_set_back_makes_nobody_wait() -> None:
    assert wait(Attempts(100, NOW), NOW - SECOND) == 0
