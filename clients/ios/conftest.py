"""The packed client, unpacked as somebody unpacks it, and a shop for it to call."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clients.ios.toolchain import toolchain
from tests.system.processes import free_port
from tests.system.topologies import SERVICES, SOURCES, Launch, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_report_header() -> str:
    found = toolchain()
    return f"swift: {found}" if found else "swift: none on the PATH, so it is parsed, not compiled"


@pytest.fixture(scope="session")
def archive() -> Path:
    """The client as `./pants package clients/ios:package` packs it."""
    found = [*Path("clients/ios").glob("*.zip"), *Path("dist/clients/ios").glob("*.zip")]
    assert found, "run ./pants package clients/ios:package first"
    return found[0].absolute()


@pytest.fixture(scope="session")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is in the archive."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(archive) as files:
        files.extractall(folder)
    (package,) = folder.iterdir()
    return package


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop in one process."""
    folder = tmp_path_factory.mktemp("shop")
    services = ", ".join(f'"{name}"' for name in SERVICES)
    topology = folder / "shop.toml"
    topology.write_text(
        f'[process.shop]\nservices = [{services}]\nhttp = "127.0.0.1:{free_port()}"\n'
    )
    command = [*SOURCES, "--topology", str(topology), "--data", str(folder / "data")]
    running = Shop([Launch("shop", command, listens=1)], folder)
    yield running
    running.close()
