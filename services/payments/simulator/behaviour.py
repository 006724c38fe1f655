"""How the simulated provider misbehaves: at random with a seed, or as it is told."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Final

import msgspec

MAXIMUM_DELAY: Final = 600.0

Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Fault(Enum):
    """What goes wrong with one request."""

    NONE = "none"
    """Nothing."""

    UNAVAILABLE = "unavailable"
    """It is answered 503; nothing has happened."""

    DROP = "drop"
    """The connection ends; nothing has happened."""

    HANG = "hang"
    """It is never answered; nothing has happened."""

    LATE = "late"
    """It is done and answered after a delay, though the client may have given up."""

    LOSE = "lose"
    """It is done, and the connection ends before the answer."""

    GARBLE = "garble"
    """It is done, and the answer is not what the API says."""

    TWICE = "twice"
    """It arrives twice, as when something in between repeats it."""


class Behaviour(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How the provider behaves from now on.

    Attributes:
        seed: what happens to a request follows from this, its key and how often it was made, so
            that a run can be repeated.
        rates: how often each fault happens, from 0 to 1; together at most 1.
        script: faults of the next requests, in order, before rates count again.
        delay: seconds that `late` takes.
        decline: how many of the keys are declined, from 0 to 1.
        decline_above: the most minor units that are not declined.
    """

    seed: int = 0
    rates: Mapping[Fault, Rate] = {}
    script: tuple[Fault, ...] = ()
    delay: Annotated[float, msgspec.Meta(ge=0, le=MAXIMUM_DELAY)] = 10.0
    decline: Rate = 0.0
    decline_above: Annotated[int, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        total = sum(self.rates.values())
        if total > 1 + 1e-9:
            raise ValueError(f"rates add up to {total:g}; expected at most 1")

    def refusal(self, key: str, minor_units: int) -> str | None:
        """Why a new charge is declined, or None; always the same for a key."""
        if self.decline_above is not None and minor_units > self.decline_above:
            return "the amount is above the limit of the card"
        if self.decline and _draw(self.seed, key, "decline") < self.decline:
            return "insufficient funds"
        return None


class Faults:
    """Decides what goes wrong with each request."""

    def __init__(self, behaviour: Behaviour) -> None:
        """Begin with `behaviour`."""
        self.behave(behaviour)
        self._requests: dict[tuple[str, str], int] = {}

    def behave(self, behaviour: Behaviour) -> None:
        """Behave otherwise from now on."""
        self.behaviour = behaviour
        self._script = list(reversed(behaviour.script))

    def next(self, operation: str, key: str) -> Fault:
        """What goes wrong with this request.

        Args:
            operation: what it asks for.
            key: its idempotency key.
        """
        count = self._requests[operation, key] = self._requests.get((operation, key), 0) + 1
        if self._script:
            return self._script.pop()
        drawn = _draw(self.behaviour.seed, operation, key, count)
        for fault, rate in self.behaviour.rates.items():
            drawn -= rate
            if drawn < 0:
                return fault
        return Fault.NONE


def _draw(*parts: object) -> float:
    """A number from 0 to 1 that follows from `parts`."""
    return random.Random(repr(parts)).random()  # noqa: S311
