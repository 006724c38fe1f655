from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import pytest

from seam.bus import GrpcChannel
from services.inventory.records.api_bus import InventoryApiStub, InventoryDeskApiStub
from services.inventory.records.messagebus_bus import InventoryStub
from tests.polyglot.node_process import node_inventory
from tests.providers.stock_room import SHELVES, Shelf, write_catalogue
from tests.system.processes import ShopProcess, from_sources

ANY_PORT: Final = "127.0.0.1:0"


def python_inventory(directory: Path, catalogue: Path) -> ShopProcess:
    program = from_sources("services.inventory.service")
    data = ["--data", str(directory)]
    subprocess.run(
        [*program, "inventory", "import", str(catalogue), *data],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=True,
    )
    ports = ["--http", ANY_PORT, "--grpc", ANY_PORT]
    return ShopProcess([*program, *ports, *data], listens=2, directory=directory)


def inventory_in_node(directory: Path, catalogue: Path) -> ShopProcess:
    command = node_inventory(ANY_PORT, directory, catalogue)
    return ShopProcess(command, listens=1, directory=directory)


PROVIDERS: Final = {"python": python_inventory, "node": inventory_in_node}


@dataclass(frozen=True)
class Provider:
    """A process that provides inventory.

    Attributes:
        address: where it answers gRPC.
        shelves: those that no test has touched.
    """

    address: str
    shelves: Iterator[Shelf]


@pytest.fixture(scope="session", params=PROVIDERS)
def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """Each provider in turn; it must end when it is asked to."""
    directory = tmp_path_factory.mktemp(request.param)
    catalogue = directory / "catalogue.csv"
    write_catalogue(catalogue)
    process = PROVIDERS[request.param](directory, catalogue)
    try:
        yield Provider(process.addresses["grpc"], map(Shelf, range(SHELVES)))
        process.end()
    finally:
        process.kill()


@pytest.fixture
def shelf(provider: Provider) -> Shelf:
    """A shelf for this test alone: 5 of A, 3 of B and 0 of C."""
    return next(provider.shelves)


@pytest.fixture
async def connection(provider: Provider) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(provider.address) as opened:
        yield opened


@pytest.fixture
def inventory(connection: grpc.aio.Channel) -> InventoryStub:
    """Inventory as other services reach it."""
    return InventoryStub(GrpcChannel(connection).called_by("orders"))


@pytest.fixture
def api(connection: grpc.aio.Channel) -> InventoryApiStub:
    """Inventory as the front door reaches it."""
    return InventoryApiStub(GrpcChannel(connection))


@pytest.fixture
def desk(connection: grpc.aio.Channel) -> InventoryDeskApiStub:
    """Inventory as the front door reaches it for the shop's people."""
    return InventoryDeskApiStub(GrpcChannel(connection))
