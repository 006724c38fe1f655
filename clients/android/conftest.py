"""A shop for the client to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.processes import free_port
from tests.system.topologies import SOURCES, Launch, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop in one process."""
    folder = tmp_path_factory.mktemp("shop")
    address = f"127.0.0.1:{free_port()}"
    command = [*SOURCES, "--http", address, "--data", str(folder / "data")]
    running = Shop([Launch("shop", command, listens=1)], folder)
    yield running
    running.close()
