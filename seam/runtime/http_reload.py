"""Notices that source files have changed, for development."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

INTERVAL: Final = 0.3
"""Seconds between two looks at the files."""

_INSTALLED: Final = {"site-packages", "dist-packages"}


class Sources:
    """The directories of all modules that are loaded and not installed, and further files."""

    def __init__(self, files: Iterable[Path] = ()) -> None:
        """Look at them as they are now.

        Args:
            files: further files, such as a topology.
        """
        self._files = [file.absolute() for file in files]
        self.directories = source_directories()
        self._seen = self._look()

    async def changed(self) -> list[str]:
        """Wait until files have changed, come or gone; gives their paths."""
        while True:
            await asyncio.sleep(INTERVAL)
            seen = self._look()
            if seen != self._seen:
                before, self._seen = self._seen, seen
                paths = before.keys() | seen.keys()
                return sorted(path for path in paths if before.get(path) != seen.get(path))

    def _look(self) -> Mapping[str, int]:
        """When each file was written."""
        found: dict[str, int] = {}
        for directory in self.directories:
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        if entry.name.endswith(".py"):
                            found[entry.path] = entry.stat().st_mtime_ns
            except OSError:
                continue
        for file in self._files:
            try:
                found[str(file)] = file.stat().st_mtime_ns
            except OSError:
                continue
        return found


def source_directories() -> Collection[Path]:
    """Where the loaded modules lie that are neither installed nor Python's own."""
    library = Path(os.__file__).parent
    directories = set()
    # Nothing is imported by way of it.
    for module in list(sys.modules.values()):  # noqa: TID251
        name = getattr(module, "__file__", None)
        if name is None or not name.endswith(".py"):
            continue
        directory = Path(name).absolute().parent
        installed = _INSTALLED.intersection(directory.parts)
        if not installed and library not in (directory, *directory.parents):
            directories.add(directory)
    return directories
