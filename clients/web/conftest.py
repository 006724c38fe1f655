"""The packed client, installed as somebody installs it, and a shop for it to call."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from clients.web.protojson_program import packed_client
from tests.polyglot.node_process import NODE, NPM
from tests.system.processes import free_port
from tests.system.topologies import SERVICES, SOURCES, Launch, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).parent

PAGE_PORT: Final = free_port()
"""Where the page is served whose scripts may call the shop."""

NODE_TIMEOUT: Final = 240.0


def run_node(arguments: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """Run Node in a folder, and give what it has printed.

    Raises:
        AssertionError: it has failed.
    """
    path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
    result = subprocess.run(
        [NODE, *arguments],
        cwd=folder,
        env={**os.environ, **variables, "PATH": path},
        capture_output=True,
        text=True,
        timeout=NODE_TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="session")
def tarball() -> Path:
    """The client as `./pants package clients/web:package` packs it."""
    return packed_client()


@pytest.fixture(scope="session")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the client is installed, beside the programs of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    for program in (HERE / "test").glob("*.ts"):
        shutil.copy(program, folder)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    run_node([NPM, "install", "--offline", tarball], folder)
    return folder


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop in one process, which lets scripts of one other origin call."""
    folder = tmp_path_factory.mktemp("shop")
    services = ", ".join(f'"{name}"' for name in SERVICES)
    topology = folder / "shop.toml"
    topology.write_text(
        f'[process.shop]\nservices = [{services}]\nhttp = "127.0.0.1:{free_port()}"\n'
        f'[http]\nallowed_origins = ["http://127.0.0.1:{PAGE_PORT}"]\n'
    )
    command = [*SOURCES, "--topology", str(topology), "--data", str(folder / "data")]
    running = Shop([Launch("shop", command, listens=1)], folder)
    yield running
    running.close()
