"""Writes the lock of every `.in` file under 3rdparty/: `./pants run 3rdparty/python:lock`.

Locks are requirement files with hashes and without download addresses: where packages come from
is for each machine to say. Versions stay as they are unless an `.in` asks for others; arguments,
such as `--upgrade` or `--upgrade-package NAME`, are handed to uv.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import uv

ROOT = Path("3rdparty")
# Pants 2.17 runs under Python 3.9; the system under 3.11.
PYTHON_VERSIONS = {"pants": "3.9", "python": "3.11"}
CONSTRAINT = re.compile(r"^-c (\S+)\.lock$", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Lock everything, constraints before what they constrain."""
    if not ROOT.is_dir():
        sys.exit(f"there is no {ROOT}/ here; run this from the root of the repository")
    for source in in_order(sorted(ROOT.glob("*/*.in"))):
        print(f"locking {source}", flush=True)
        # Run in its folder, so that comments in the lock name the file and no path.
        subprocess.run(
            [
                uv.find_uv_bin(),
                "pip",
                "compile",
                "--universal",
                f"--python-version={PYTHON_VERSIONS[source.parent.name]}",
                "--generate-hashes",
                "--no-emit-index-url",
                "--no-header",
                "--quiet",
                *arguments,
                source.name,
                f"--output-file={source.stem}.lock",
            ],
            check=True,
            cwd=source.parent,
            # Of another virtual environment, uv would take over settings.
            env={key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"},
        )


def in_order(sources: list[Path]) -> list[Path]:
    """Put each file after those whose locks constrain it (`-c other.lock`)."""
    ordered: list[Path] = []

    def visit(source: Path) -> None:
        if source not in ordered:
            for name in CONSTRAINT.findall(source.read_text()):
                visit(source.with_name(f"{name}.in"))
            ordered.append(source)

    for source in sources:
        visit(source)
    return ordered


if __name__ == "__main__":
    main(sys.argv[1:])
