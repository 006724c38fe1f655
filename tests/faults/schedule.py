"""What goes wrong, and when: drawn from a seed, so that a run can be played again.

A fault is due once so many orders have been placed, and not at a time of the clock: how fast a
machine is changes nothing in what happens to it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What can happen to a part of the shop."""

    KILL = "kill"
    """A process ends without warning, and is started again."""

    KILL_AT_STEP = "kill at"
    """A process ends without warning when it passes a named step."""

    FREEZE = "freeze"
    """A process, a broker or a database stops without ending, and goes on later."""

    RESTART = "restart"
    """A broker, a database or a provider is shut down, and started again."""

    CRASH = "crash"
    """A broker, a database or a provider ends without warning, and is started again."""

    DELAY = "delay"
    """What passes between the processes and the broker is held back."""

    DUPLICATE = "duplicate"
    """The events that the broker holds are published again."""

    FILL_DISK = "fill the disk of"
    """A process cannot write any more, and can again later."""

    MOVE = "move"
    """A service goes into a process of its own, or back, on the data that it has."""


@dataclass(frozen=True)
class Event:
    """One fault of a schedule.

    Attributes:
        after: how many orders have been placed when it happens.
        fault: what happens.
        target: the part that it happens to.
        step: the step that a process ends at, for `KILL_AT_STEP`.
        seconds: how long what does not end at once goes on.
    """

    after: int
    fault: Fault
    target: str
    step: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        where = f" '{self.step}'" if self.step else ""
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"after {self.after} orders: {self.fault.value} {self.target}{where}{lasting}"


def draw(
    seed: int, orders: int, faults: int, possible: Sequence[tuple[Fault, str]], steps: Sequence[str]
) -> list[Event]:
    """Draw a schedule.

    Every kind of fault that is possible happens to every part before one happens again, and every
    step is tried before one is tried again, as far as there are so many faults.

    Args:
        seed: gives the same schedule again.
        orders: how many orders will be placed.
        faults: how many faults there are to be.
        possible: what can happen to which part; `KILL_AT_STEP` is drawn for each step by itself.
        steps: the named steps, as `PROCESS: STEP`.
    """
    chosen = random.Random(seed)
    several = [Event(0, fault, target) for fault, target in possible]
    at_steps = []
    for step in steps:
        process, _, name = step.partition(": ")
        at_steps.append(Event(0, Fault.KILL_AT_STEP, process, name))
    drawn: list[Event] = []
    while len(drawn) < faults:
        turn = [*several, *at_steps]
        chosen.shuffle(turn)
        drawn += turn
    # Nothing happens to the first orders nor after the last, which would meet nobody.
    moments = sorted(chosen.randint(orders // 50, orders * 9 // 10) for _ in range(faults))
    return [
        Event(
            moment,
            event.fault,
            event.target,
            event.step,
            chosen.uniform(0.3, 2.0) if event.fault in _LASTING else 0.0,
        )
        for moment, event in zip(moments, drawn, strict=False)
    ]


_LASTING = frozenset({Fault.FREEZE, Fault.DELAY, Fault.FILL_DISK, Fault.RESTART, Fault.CRASH})
