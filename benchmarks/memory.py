"""How much memory processes take: the proportional set size, which counts shared pages once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def mebibytes(pids: Iterable[int]) -> float:
    """Memory of some processes together."""
    return sum(_kibibytes(pid) for pid in pids) / 1024


def _kibibytes(pid: int) -> int:
    figures = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss: +(\d+) kB", figures, re.MULTILINE)
    assert found is not None
    return int(found[1])
