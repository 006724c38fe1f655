"""Lints contracts in Pants' sandbox, under Python 3.11 with the requirements of the resolve `buf`.

Usage: sandbox_buf.py CONTRACT...

buf would look for what contracts import in a registry of its own, so it is given what protoc made
of them.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

COMPILED = "contracts.binpb"


def main(*contracts: str) -> int:
    """Compile contracts, have buf look at them, and say where in the repository things are."""
    flags = (f"--descriptor_set_out={COMPILED}", "--include_imports", "--include_source_info")
    compiler = [sys.executable, "sandbox_protoc.py", "{}", *flags, *contracts]
    status = subprocess.run(compiler, check=False).returncode
    if status != 0:
        return status
    paths = [word for contract in contracts for word in ("--path", contract)]
    buf = Path(sysconfig.get_path("scripts"), "buf")
    result = subprocess.run(
        [buf, "lint", COMPILED, "--config", "protos/buf.yaml", *paths],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    for line in result.stdout.splitlines():
        sys.stdout.write(f"protos/{line}\n")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
