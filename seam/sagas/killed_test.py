"""A process that is killed at any point of a saga leaves what the next one brings to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seam.persistence import open_database
from seam.testing import killed_trip
from seam.testing.travel import METADATA, STORAGE, ends_of

RUNS = [(outcome, point) for outcome, points in killed_trip.POINTS.items() for point in points]


def run(url: str, folder: Path, point: str, outcome: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, killed_trip.__file__, url, str(folder), point, outcome],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(("outcome", "point"), RUNS)
async def test_a_saga_ends_after_its_process_was_killed(
    tmp_path: Path, outcome: str, point: str
) -> None:
    url = f"sqlite:///{tmp_path}/travel.db"
    folder = tmp_path / "booked"
    folder.mkdir()
    killed = run(url, folder, point, outcome)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    later = run(url, folder, "never", outcome)
    assert later.returncode == 0, later.stderr
    state = "completed" if outcome == "booked" else "compensated"
    assert later.stdout.split() == [state]
    held = {"room", "seat"} if outcome == "booked" else set()
    assert {path.name for path in folder.iterdir()} == held
    async with open_database(url, METADATA) as database:
        assert await ends_of(database, "1") == [state]
        events = [each.event for each in await STORAGE.history(database, "1")]
        assert events.count(state) == 1
