"""Runs a program of the shop that ends itself, as `kill -9` would, when it passes a named step.

    python -m tests.faults.victim ENDS_AT PROGRAM ARGUMENTS…

ENDS_AT is a file that names the step, PROGRAM `shop` or the name of a service. While the file is
not there, nothing happens; it is deleted before the process ends, so that it ends once. Steps are
what lies between any two effects that outlive a process: a commit of each service, each step of a
saga and of its undoing, each call of the payment provider.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from director.monolith import SERVICES
from seam.persistence import Database, Transaction
from seam.runtime import main as run_artifact
from seam.sagas import Saga

STEPS = (
    "commits of inventory, before",
    "commits of inventory, after",
    "commits of shopping_cart, before",
    "commits of shopping_cart, after",
    "commits of payments, before",
    "commits of payments, after",
    "commits of orders, before",
    "commits of orders, after",
    "reserve stock, before",
    "reserve stock, done",
    "reserve stock, undone",
    "take payment, before",
    "take payment, done",
    "take payment, undone",
    "call of the provider, before",
    "call of the provider, answered",
)
"""Every step that a process can end at, in the order of a checkout."""


def main() -> None:
    """Prepare the steps, and run the program."""
    _, ends_at, program, *arguments = sys.argv
    steps = _Steps(Path(ends_at))
    _watch_commits(steps)
    _watch_sagas(steps)
    _watch_provider(steps)
    services = {service.name: service for service in SERVICES}
    sys.argv = [program, *arguments]
    if program == "shop":
        run_artifact(program, SERVICES, whole_system=True)
    else:
        run_artifact(program, (services[program],))


class _Steps:
    """Ends the process at the step that a file names."""

    def __init__(self, ends_at: Path) -> None:
        self._ends_at = ends_at

    def passed(self, step: str) -> None:
        assert step in STEPS, step
        try:
            named = self._ends_at.read_text()
        except FileNotFoundError:
            return
        if named == step:
            self._ends_at.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)


def _watch_commits(steps: _Steps) -> None:
    original = Database.transaction

    @asynccontextmanager
    async def transaction(self: Database, **options: Any) -> AsyncIterator[Transaction]:
        if f"commits of {self.service}, before" not in STEPS:
            async with original(self, **options) as transaction:
                yield transaction
            return
        async with original(self, **options) as transaction:
            yield transaction
            steps.passed(f"commits of {self.service}, before")
        steps.passed(f"commits of {self.service}, after")

    Database.transaction = transaction  # type: ignore[method-assign]


def _watch_sagas(steps: _Steps) -> None:
    original = Saga.__post_init__

    def watched(self: Saga[Any]) -> None:
        original(self)
        object.__setattr__(self, "steps", tuple(_step(step) for step in self.steps))

    def _step(step: Any) -> Any:
        async def do(data: Any) -> None:
            steps.passed(f"{step.name}, before")
            await step.do(data)
            steps.passed(f"{step.name}, done")

        async def undo(data: Any) -> None:
            await step.undo(data)
            steps.passed(f"{step.name}, undone")

        return replace(step, do=do, undo=undo)

    Saga.__post_init__ = watched  # type: ignore[method-assign]


def _watch_provider(steps: _Steps) -> None:
    original = httpx.AsyncClient.send

    async def send(self: httpx.AsyncClient, *arguments: Any, **options: Any) -> httpx.Response:
        steps.passed("call of the provider, before")
        response = await original(self, *arguments, **options)
        steps.passed("call of the provider, answered")
        return response

    httpx.AsyncClient.send = send  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
