"""Notices that source files have changed, for development."""

from __future__ import annotations

import asyncio
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

INTERVAL: Final = 0.5
"""Seconds between two looks at the files."""

_ELSEWHERE: Final = {"__pycache__", "dist", "node_modules", "site-packages", "dist-packages"}
"""Folders that hold what is installed, or made from sources."""


class Sources:
    """All Python files that can be imported and are not installed, and further files."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        """Look at them as they are now.

        Args:
            files: further files, such as a topology.
        """
        self._files = [file.absolute() for file in files]
        self.roots = source_roots()
        self._seen = self._look()

    async def changed(self) -> list[str]:
        """Wait until files have changed, come or gone; gives their paths."""
        while True:
            await asyncio.sleep(INTERVAL)
            seen = await asyncio.to_thread(self._look)
            if seen != self._seen:
                before, self._seen = self._seen, seen
                paths = before.keys() | seen.keys()
                return sorted(path for path in paths if before.get(path) != seen.get(path))

    def _look(self) -> Mapping[str, int]:
        """When each file was written."""
        found = {path: time for root in self.roots for path, time in _python_files(root)}
        for file in self._files:
            try:
                found[str(file)] = file.stat().st_mtime_ns
            except OSError:
                continue
        return found


def source_roots() -> Sequence[str]:
    """The folders from which modules are imported that are neither installed nor Python's own."""
    paths = sysconfig.get_paths()
    own = [os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib", "purelib")]
    roots = {os.path.realpath(path or ".") for path in sys.path}
    return sorted(
        root
        for root in roots
        if Path(root).is_dir()
        and not any(os.path.commonpath([root, each]) == each for each in own)
        and not _ELSEWHERE.intersection(Path(root).parts[-1:])
    )


def _python_files(folder: str) -> Iterator[tuple[str, int]]:
    """The Python files below a folder, and when they were written."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _ELSEWHERE:
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _python_files(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat().st_mtime_ns
        except OSError:
            # It has gone meanwhile.
            continue
