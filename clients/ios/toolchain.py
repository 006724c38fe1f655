"""What a Swift toolchain does with the client, where one is on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run_swift", "toolchain"]

_TIMEOUT: Final = 600.0


def toolchain() -> str | None:
    """The compiler driver that is on the PATH; None where there is none."""
    return shutil.which("swift")


def run_swift(folder: Path, *arguments: str) -> str:
    """Run a command of the toolchain in a package's folder, and give what it has printed.

    Raises:
        AssertionError: it has failed.
    """
    result = subprocess.run(
        ["swift", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout
