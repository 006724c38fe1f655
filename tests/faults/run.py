"""Runs the shop through faults for as long as you like.

./pants run tests/faults/run.py -- --orders 3000 --faults 100
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cyclopts import App

from tests.faults.harness import play
from tests.faults.systems import SYSTEMS

app = App(name="faults", help="Places orders while things go wrong, then audits.", version_flags=[])


@app.default
def run(
    *,
    system: tuple[str, ...] = tuple(SYSTEMS),
    seed: int | None = None,
    orders: int = 2000,
    faults: int = 60,
    at_a_time: int = 32,
) -> int:
    """Run systems through faults, and say what the audit has found.

    Args:
        system: which systems, one after another.
        seed: plays a schedule again; drawn, and printed, when it is not given.
        orders: how many customers place an order.
        faults: how many faults happen meanwhile.
        at_a_time: how many customers there are at a time.
    """
    chosen = random.SystemRandom().randrange(10**9) if seed is None else seed
    failed = False
    for name in system:
        if name not in SYSTEMS:
            print(f"--system {name}: expected one of {', '.join(SYSTEMS)}", file=sys.stderr)
            return 2
        print(f"{name}: --seed {chosen} --orders {orders} --faults {faults}", flush=True)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="faults-") as directory:
            wrong = asyncio.run(
                play(
                    name,
                    Path(directory),
                    seed=chosen,
                    orders=orders,
                    faults=faults,
                    at_a_time=at_a_time,
                    tell=_tell(begun),
                )
            )
        print(f"{name}: {len(wrong)} things are wrong, {time.monotonic() - begun:.0f} s")
        for each in wrong[:50]:
            print(f"  {each}")
        failed = failed or bool(wrong)
    return 1 if failed else 0


def _tell(begun: float) -> Callable[[str], None]:
    def tell(text: str) -> None:
        print(f"  {time.monotonic() - begun:6.1f} s  {text}", flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(app())
