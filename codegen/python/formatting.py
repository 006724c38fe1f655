"""Formats generated Python with ruff, so that it looks like the rest of the repository."""

from __future__ import annotations

import subprocess

from ruff import find_ruff_bin  # type: ignore[import-untyped]

__all__ = ["RUFF", "format_python"]

RUFF: str = find_ruff_bin()
"""Where ruff's executable is."""


def format_python(source: str, name: str) -> str:
    """Python source as `ruff format` writes it, at 100 columns.

    Args:
        source: the source.
        name: the file's name, for the message when ruff refuses it.

    Raises:
        RuntimeError: ruff cannot parse the source, which is a fault of the generator.
    """
    command = [RUFF, "format", "--isolated", "--no-cache", "--line-length=100"]
    command += ["--target-version=py311", f"--stdin-filename={name}", "-"]
    result = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    if result.returncode:
        numbered = "\n".join(f"{n:4} {row}" for n, row in enumerate(source.split("\n"), 1))
        raise RuntimeError(f"{result.stderr.decode()}\n{numbered}")
    return result.stdout.decode()
