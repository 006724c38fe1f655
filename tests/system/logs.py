"""The logs of programs under test, for whoever wants to know why a test failed."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final

__all__ = ["LOGS", "last_lines"]

LOGS: Final[deque[Path]] = deque(maxlen=12)
"""Those of the programs that tests of this process started last."""

_LAST_BYTES: Final = 4_000


def last_lines(log: Path) -> str:
    """The end of a log, in whole lines, as far as it can be read."""
    try:
        content = log.read_bytes()
    except OSError as error:
        return str(error)
    end = content[-_LAST_BYTES:]
    if len(end) < len(content):
        end = end.partition(b"\n")[2]
    return end.decode(errors="replace")
