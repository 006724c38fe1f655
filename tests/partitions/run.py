"""Runs the shop in every partition of its services, or of some of them, and compares answers.

./pants package director:: services:: && ./pants run tests/partitions/run.py -- --help
"""

from __future__ import annotations

import sys
import time
from contextlib import chdir
from pathlib import Path

from cyclopts import App

from tests.partitions.partitions import Partition, all_partitions
from tests.partitions.systems import NAMES, described, running
from tests.system.tour import Visited, tour

app = App(name="partitions", help="Compares partitions with the monolith.", version_flags=[])


@app.default
def run(*services: str, dist: Path = Path("dist")) -> int:
    """Take a client's tour of the shop in all partitions of services, and compare the answers.

    Args:
        services: those that are put into processes in every way; the others stay in the largest
            process. Without any, the first five.
        dist: where the packaged artifacts are.
    """
    unknown = [name for name in services if name not in NAMES]
    if unknown or len(set(services)) < len(services):
        expected = f"expected different ones of {', '.join(NAMES)}"
        print(f"{', '.join(services)}: {expected}", file=sys.stderr)
        return 2
    partitions = list(all_partitions(services or NAMES[:5]))
    if not (dist / "director/monolith.pex").is_file():
        print(f"{dist}: no artifacts; run ./pants package director:: services::", file=sys.stderr)
        return 2
    with chdir(dist):
        return _compare(partitions)


def _compare(partitions: list[Partition]) -> int:
    begun = time.monotonic()
    expected: list[Visited] = []
    differing = 0
    for number, partition in enumerate(partitions, start=1):
        with running(partition) as shop:
            answers = tour(shop)
        expected = expected or answers
        wrong = [each for each, right in zip(answers, expected, strict=True) if each != right]
        differing += bool(wrong)
        seconds = time.monotonic() - begun
        verdict = f"{len(wrong)} answers differ" if wrong else f"{len(answers)} equal answers"
        place = f"{number:3}/{len(partitions)} {seconds:6.1f} s"
        print(f"{place}  {described(partition)}: {verdict}", flush=True)
        for each in wrong[:5]:
            print(f"    {each}")
    print(f"{differing} of {len(partitions)} partitions differ from the monolith")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(app())
