"""Measures several ways of doing one thing against each other, in one run.

Absolute times say little on a machine that does other things as well. All ways therefore take
turns: a round runs each of them once, and ratios are made within a round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

WARM_UP: Final = 4
"""What part of a round is run first, and thrown away: one in so many."""

CPU_OF_THIS_THREAD: Final = time.thread_time
"""The clock for what never waits: a long round would else hold more of what other programs do than
a short one, and its ratio to that one would grow with the load of the machine."""


@dataclass(frozen=True)
class Way:
    """One way of doing the thing.

    Attributes:
        name: what the report calls it.
        run: does it `times` times.
        times: how often it is done in a round; enough to take some 50 ms.
        prepare: makes what is needed for so many times; is not measured.
    """

    name: str
    run: Callable[[int], Awaitable[None]]
    times: int
    prepare: Callable[[int], object] = lambda _: None


@dataclass(frozen=True)
class Spread:
    """Smallest, middle and largest of a number of figures."""

    min: float
    median: float
    max: float

    @staticmethod
    def of(figures: Sequence[float]) -> Spread:
        """The spread of some figures."""
        return Spread(min(figures), statistics.median(figures), max(figures))


@dataclass(frozen=True)
class Result:
    """What was measured of one way.

    Attributes:
        name: what the report calls it.
        microseconds: time for doing the thing once.
        ratio: the same as a multiple of the baseline's time in the same round.
    """

    name: str
    microseconds: Spread
    ratio: Spread


async def measure(
    ways: Sequence[Way],
    *,
    baseline: str,
    rounds: int,
    progress: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> list[Result]:
    """Measure all ways in turns.

    Args:
        ways: the ways; each is warmed up, with a part of a round that does not count.
        baseline: name of the way that ratios are made against.
        rounds: how many rounds count.
        progress: is called after each round.
        clock: tells the time, or what is measured in its place, in seconds.
    """
    seconds: dict[str, list[float]] = {way.name: [] for way in ways}
    for counted in [False] + [True] * rounds:
        for way in ways:
            times = way.times if counted else -(-way.times // WARM_UP)
            way.prepare(times)
            begun = clock()
            await way.run(times)
            elapsed = (clock() - begun) / times
            if counted:
                seconds[way.name].append(elapsed)
        progress()
    return [
        Result(
            name,
            Spread.of([figure * 1e6 for figure in figures]),
            Spread.of([a / b for a, b in zip(figures, seconds[baseline], strict=True)]),
        )
        for name, figures in seconds.items()
    ]
