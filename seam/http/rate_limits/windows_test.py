"""When something is allowed again is when it is: not before, and not much later."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seam.http.rate import Rate
from seam.http.rate_limits.windows import Windows, allows, seconds_until_allowed


def after(windows: Windows, rate: Rate, seconds: float) -> Windows:
    """What is counted some time later, if nothing comes until then."""
    previous, left, current = windows
    while seconds >= left:
        previous, current, seconds, left = current, 0, seconds - left, float(rate.seconds)
    return Windows(previous, left - seconds, current)


@given(
    amount=st.integers(1, 1_000),
    seconds=st.sampled_from([1, 60, 3_600]),
    previous=st.floats(0, 1),
    current=st.floats(0, 1),
    into=st.floats(0, 0.999),
)
def test_who_waits_as_long_as_is_said_is_allowed(
    amount: int, seconds: int, previous: float, current: float, into: float
) -> None:
    rate = Rate(amount, seconds)
    left = seconds * (1 - into)
    windows = Windows(int(previous * amount), left, int(current * amount))
    wait = seconds_until_allowed(windows, rate)
    assert allows(after(windows, rate, wait + 1e-6 * seconds), rate, 1)
    assert 0 <= wait <= 2 * seconds
    if wait > 1e-3 * seconds:
        assert not allows(after(windows, rate, wait - 1e-3 * seconds), rate, 1)
