"""Checks the sources of a Swift package: `check.py FOLDER`, with lines of problems and status 1.

Everything must parse. In what is generated, every name must be one that the package declares or
that is known to be the platform's, and every call must have labels that a declaration takes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from clients.ios.checking.declarations import Declarations
from clients.ios.checking.names import undeclared
from clients.ios.checking.syntax import SourceFile

__all__ = ["problems"]

_GENERATED = "Generated"


def problems(folder: Path) -> list[str]:
    """What is wrong with the Swift files of a folder.

    Args:
        folder: a package, whose generated files are in folders called `Generated`.
    """
    paths = sorted(folder.rglob("*.swift"))
    files = [SourceFile(str(path.relative_to(folder)), path.read_bytes()) for path in paths]
    found = [problem for file in files for problem in file.problems()]
    declared = Declarations(files)
    for path, file in zip(paths, files, strict=True):
        if path.parent.name == _GENERATED:
            found += undeclared(file, declared)
    if not files:
        found.append(f"{folder}: no Swift is there")
    return found


def main(folder: str) -> int:
    """Print what is wrong."""
    found = problems(Path(folder))
    sys.stderr.write("".join(f"{each}\n" for each in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
