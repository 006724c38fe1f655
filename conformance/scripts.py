"""Writes random scripts of calls within calls, for `random_scripts_test`."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from conformance.v1.conformance import Refused, RefusedError, Undeclared, UndeclaredError
from seam.contract.errors import Code, InvalidArgumentError, InvalidField, StatusError

Script = dict[str, Any]
"""A call: what its caller does, and the steps of its handler. It travels as JSON."""

Step = list[Any]
"""The name of what a handler does, and its arguments, which may be steps and scripts again."""


class _ControlFlow(BaseException):
    """Is no `Exception`."""


ERRORS: Final[dict[str, tuple[Callable[..., BaseException], tuple[Any, ...]]]] = {
    **{c.name: (StatusError, (c, "so it is")) for c in Code if c is not Code.UNAVAILABLE},
    "declared": (RefusedError, (Refused(reason="it was asked for"),)),
    "undeclared": (UndeclaredError, (Undeclared(secret="x"),)),  # noqa: S106
    "invalid": (InvalidArgumentError, (InvalidField("a.b", "expected c"),)),
    "field": (InvalidField, ("a.b", "expected c")),
    "surrogate": (StatusError, (Code.ABORTED, "half of \ud83d a pair")),
    "long": (StatusError, (Code.ABORTED, "ü" * 5000)),
    "stop": (StopIteration, ("x",)),
    "async stop": (StopAsyncIteration, ("x",)),
    "exit": (GeneratorExit, ("x",)),
    "control flow": (_ControlFlow, ("x",)),
    "time": (TimeoutError, ("x",)),
    "group": (ExceptionGroup, ("x", [KeyError("y")])),
}


"""What a handler may raise, by name. Not UNAVAILABLE: gRPC calls who says so again, if it may."""


class Writer:
    """Writes scripts, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        """Write what `seed` says."""
        self._random = random.Random(seed)  # noqa: S311

    def call(self, path: str, depth: int) -> Script:
        """A call, and what its handler does."""
        pick = self._random
        kind = pick.choice(["unary", "unary", "download", "upload", "converse"])
        return {
            "path": path,
            "kind": kind,
            "timeout": pick.choice([3, 3, 3, 3, 0, -1, self._seconds(), self._seconds()]),
            "how": pick.choice(["plain", "plain", "limit", "wait_for", "cancel", "scope", "task"]),
            "after": pick.choice([0.16, 0.3]),
            "requests": pick.randint(0, 3),
            "ends": pick.choice(["whole", "whole", "raises", "hangs"]),
            "reads": pick.choice(["all", "all", "one", "drops"]),
            "steps": self.steps(kind, path, depth),
        }

    def steps(self, kind: str, path: str, depth: int) -> list[Step]:
        """What a handler does, step by step."""
        return [self._step(kind, f"{path}.{i}", depth) for i in range(self._random.randint(0, 3))]

    def _step(self, kind: str, path: str, depth: int) -> Step:
        pick = self._random
        simple: list[Step] = [
            ["sleep", self._seconds()],
            ["sleep", 0],
            ["fail", pick.choice(sorted(ERRORS))],
            ["cancel itself"],
            ["cancelled child"],
            ["thread"],
            ["say", f"k{pick.randint(0, 1)}", path],
        ]
        if kind in {"download", "converse"}:
            simple += [["send", 2]] * 3
        if kind in {"upload", "converse"}:
            simple += [["read", pick.choice([1, 9, 9])]] * 4
        if depth == 0 or pick.random() < 0.4:
            return pick.choice(simple)

        def inner() -> list[Step]:
            # Streams are left to the handler itself: what it starts neither reads nor sends.
            return self.steps("unary", path, depth - 1)

        calls = [self.call(f"{path}{letter}", depth - 1) for letter in "abc"]
        # A network takes a moment to carry the calls of a group before something else ends it.
        group: list[list[Step]] = [[["call", each]] for each in calls[: pick.randint(1, 3)]]
        group.append([["sleep", 0.13], *inner()])
        compound: list[Step] = [
            ["call", calls[0]],
            ["call", calls[0]],
            ["group", group],
            ["limit", self._seconds(), inner()],
            ["scope", self._seconds(), inner()],
            ["swallow", inner()],
            ["tidy", inner(), [["call", calls[1]]]],
            ["tidy", inner(), [["sleep", self._seconds()]]],
            ["shield", inner()],
        ]
        return pick.choice(compound)

    def _seconds(self) -> float:
        return self._random.choice([0.1, 0.23, 0.37])
