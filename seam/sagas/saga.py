"""What a saga is: the steps of one piece of work across services, and how each is undone.

A saga is written as the story that it is, in the order in which it happens:

    Saga(
        "checkout",
        Purchase,
        steps=(
            Step("reserve stock", do=reserve_stock, undo=release_stock),
            Step("take payment", do=take_payment, undo=void_payment),
        ),
        completed=confirm,
        compensated=reject,
    )

A step may be done more than once, and undone whether or not it was done: its effects carry an id
that is the saga's. Source: H. Garcia-Molina and K. Salem, Sagas, SIGMOD 1987.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from seam.persistence import Transaction

D = TypeVar("D", bound=msgspec.Struct)

TIMED_OUT: Final = "timed out"
"""Kind of the reason of a saga that was not done within its time limit."""

FAILED: Final = "failed"
"""Kind of the reason of a saga with a step that can never be done."""

DEFAULT_TIME_LIMIT: Final = 60.0


class Reason(msgspec.Struct, frozen=True):
    """Why a saga is undone.

    Attributes:
        kind: what happened: `TIMED_OUT`, `FAILED`, or a word of the service's own.
        detail: what the service wants to know of it, in a form of its own.
    """

    kind: str
    detail: str = ""


class RefusedError(Exception):
    """A step cannot be done for a reason of the business, and has had no effect."""

    def __init__(self, reason: Reason) -> None:
        """Say why."""
        super().__init__(reason.kind, reason.detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Step(Generic[D]):
    """One step of a saga.

    Attributes:
        name: what it is called; stored, so it stays what it is when steps are added around it.
        do: does it. It raises `RefusedError` when it cannot be done, and a status when that is not
            known; it is then done again, until the saga's time is over.
        undo: undoes it, whether or not it was done. It is tried until it succeeds.
    """

    name: str
    do: Callable[[D], Awaitable[None]]
    undo: Callable[[D], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class Saga(Generic[D]):
    """Work across services that ends done or undone, whatever happens on the way.

    Attributes:
        name: what it is called; stored.
        data: what its steps work with. It is stored as JSON: fields that are added later have
            defaults, so that older sagas can be read.
        steps: what is done, in this order; what has been begun is undone in reverse.
        completed: the service's own effect of all steps being done, in one transaction with it.
        compensated: the service's own effect of all being undone, in one transaction with it.
        time_limit: seconds after which what is not done is undone.
    """

    name: str
    data: type[D]
    steps: tuple[Step[D], ...]
    completed: Callable[[D, Transaction], Awaitable[None]]
    compensated: Callable[[D, Reason, Transaction], Awaitable[None]]
    time_limit: float = DEFAULT_TIME_LIMIT

    def __post_init__(self) -> None:
        """Check that stored names will mean one step.

        Raises:
            ValueError: there is no step, or two have one name.
        """
        names = [step.name for step in self.steps]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"saga '{self.name}': expected steps with different names, got {names}"
            )

    def position(self, step: str) -> int | None:
        """Where a step stands, counted from 0; None when this version has no such step."""
        for position, each in enumerate(self.steps):
            if each.name == step:
                return position
        return None
