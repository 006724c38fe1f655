"""The shop in every topology, behind one face."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc
import httpx
from inventory.v1 import messagebus_pb2, messagebus_pb2_grpc

from director import monolith
from seam.testing.nats import nats_server_program
from tests.polyglot.node_process import node_inventory
from tests.system.processes import ShopProcess, free_port, from_artifact, from_sources

READY_TIMEOUT: Final = 30.0

SMTP_PORT: Final = free_port()
"""Where a test that is about mails listens for them."""

SMTP_URL: Final = f"smtp://127.0.0.1:{SMTP_PORT}"
SENDER: Final = "shop@example.com"
MAIL_SETTINGS: Final = f"""
        [settings.notifications]
        smtp = "{SMTP_URL}"
        sender = "{SENDER}"
"""

CALLED_BY_ORDERS: Final = (("seam-caller", "orders"),)
"""Who is let do what tests do in the place of orders; on a loopback, that is believed."""

SERVICES: Final = tuple(service.name for service in monolith.SERVICES)
MONOLITH_ARTIFACT: Final = "director/monolith.pex"


@dataclass(frozen=True)
class Launch:
    """How to start one process.

    Attributes:
        name: the process's name, which is also its directory.
        command: the program and its arguments.
        listens: how many ports it announces.
        services: what it hosts, where that is not its name.
    """

    name: str
    command: list[str]
    listens: int
    services: tuple[str, ...] = ()

    def hosts(self, service: str) -> bool:
        """Whether the process hosts a service."""
        return service in (self.services or (self.name,))


class Shop:
    """A running shop: what a client can do with it, and what can happen to it."""

    def __init__(self, launches: list[Launch], directory: Path) -> None:
        """Start the processes and wait until the shop is ready."""
        self._launches = {launch.name: launch for launch in launches}
        self._directory = directory
        self._processes: dict[str, ShopProcess] = {}
        self.http = httpx.Client()
        try:
            self._start_all()
            self._connect()
        except BaseException:
            # Nobody has it yet who would close it.
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where clients reach the shop."""
        return f"http://{self.address('http')}"

    def start(self, name: str) -> None:
        """Start one process."""
        self._begin(name).wait_until_listening()

    def kill(self, name: str) -> None:
        """End one process without warning."""
        self._processes.pop(name).kill()

    def restart(self, *, warning: bool) -> None:
        """End every process, with or without warning, and start all of them again."""
        if warning:
            for process in self._processes.values():
                process.ask_to_end()
        for process in self._processes.values():
            process.end() if warning else process.kill()
        self._start_all()
        self._connect()

    def close(self) -> None:
        """End the shop."""
        self.http.close()
        for process in self._processes.values():
            process.kill()

    def grant(self, email: str, role: str) -> None:
        """Trust an account with a role, by the command that those who run the shop have.

        Raises:
            subprocess.CalledProcessError: the command fails.
        """
        data = ["--data", str(self._directory / "data")]
        subprocess.run(
            [*SOURCES, "authentication", "grant", email, role, *data],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
            capture_output=True,
        )

    @contextmanager
    def database(self, service: str) -> Iterator[sqlite3.Connection]:
        """The database of a service, beside the process that has it."""
        file = self._directory / "data" / f"{service}.db"
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
            yield connection

    def reserve(self, reservation_id: str, lines: Mapping[str, int]) -> None:
        """Hold stock as another service would: with a plain gRPC stub.

        Raises:
            grpc.RpcError: inventory refuses.
        """
        self._inventory(
            lambda stub: stub.ReserveStock(
                messagebus_pb2.ReserveStockRequest(
                    reservation_id=reservation_id,
                    lines=[
                        messagebus_pb2.StockLine(sku=sku, quantity=quantity)
                        for sku, quantity in lines.items()
                    ],
                ),
                timeout=10,
                metadata=CALLED_BY_ORDERS,
            )
        )

    def release(self, reservation_id: str) -> None:
        """Give held stock back."""
        self._inventory(
            lambda stub: stub.ReleaseStock(
                messagebus_pb2.ReleaseStockRequest(reservation_id=reservation_id),
                timeout=10,
                metadata=CALLED_BY_ORDERS,
            )
        )

    def readiness(self) -> dict[str, Any]:
        """What the shop says of its readiness."""
        state: dict[str, Any] = self.http.get("/readyz").json()
        return state

    def wait_until_ready(self) -> None:
        """Wait until the shop takes requests."""
        wait_until(lambda: bool(self.readiness()["ready"]))

    def _start_all(self) -> None:
        """Start all processes side by side, in no order: each waits for those that it needs."""
        for process in [self._begin(name) for name in self._launches]:
            process.wait_until_listening()

    def _begin(self, name: str) -> ShopProcess:
        launch = self._launches[name]
        directory = self._directory / name
        directory.mkdir(exist_ok=True)
        process = ShopProcess(
            launch.command, listens=launch.listens, directory=directory, wait=False
        )
        self._processes[name] = process
        return process

    def _connect(self) -> None:
        self.http.close()
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self.wait_until_ready()

    def _inventory(self, call: Callable[[messagebus_pb2_grpc.InventoryStub], object]) -> None:
        with grpc.insecure_channel(self.address("grpc", host_of="inventory")) as channel:
            call(messagebus_pb2_grpc.InventoryStub(channel))

    def address(self, scheme: str, *, host_of: str = "") -> str:
        """Where a process listens; the one that hosts a service, if it does.

        Raises:
            AssertionError: none listens on `scheme`.
        """
        processes = sorted(
            self._processes, key=lambda name: not self._launches[name].hosts(host_of)
        )
        for name in processes:
            if scheme in self._processes[name].addresses:
                return self._processes[name].addresses[scheme]
        raise AssertionError(f"no process listens on {scheme}")


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it did not in time.
    """
    end = time.monotonic() + READY_TIMEOUT
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def start_shop(topology: str, directory: Path) -> Shop:
    """Start the shop in one of `TOPOLOGIES`, its data below `directory`."""
    return Shop(TOPOLOGIES[topology](directory), directory)


def _monolith(program: list[str], directory: Path) -> list[Launch]:
    ports = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]
    data = ["--data", str(directory / "data")]
    settings = [f"notifications.smtp={SMTP_URL}", f"notifications.sender={SENDER}"]
    mail = [word for setting in settings for word in ("--setting", setting)]
    return [Launch("monolith", [*program, *ports, *data, *mail], listens=2)]


def broker_command(port: int, directory: Path) -> list[str]:
    store = str(directory / "events")
    return [str(nats_server_program()), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", store]


def _split(directory: Path, *, polyglot: bool = False) -> list[Launch]:
    topology = directory / "split.toml"
    addresses = {name: f"127.0.0.1:{free_port()}" for name in SERVICES}
    broker = free_port()
    processes = (
        f'[process.{name}]\nservices = ["{name}"]\ngrpc = "{address}"\n'
        for name, address in addresses.items()
    )
    topology.write_text(
        f"""
[process.director]
http = "127.0.0.1:{free_port()}"

[events]
broker = "nats://127.0.0.1:{broker}"

{"".join(processes)}
{MAIL_SETTINGS}
"""
    )
    settings = ["--topology", str(topology), "--data", str(directory / "data")]
    commands = {
        name: [*from_artifact(f"services/{name}/service.pex"), *settings] for name in SERVICES
    }
    if polyglot:
        commands["inventory"] = node_inventory(addresses["inventory"], data=directory)
    director = [*from_artifact(MONOLITH_ARTIFACT), *settings, "--process", "director"]
    return [
        Launch("broker", broker_command(broker, directory), listens=0),
        *(Launch(name, command, listens=1) for name, command in commands.items()),
        Launch("director", director, listens=1),
    ]


def _monolith_twice(directory: Path) -> list[Launch]:
    topology = directory / "twice.toml"
    topology.write_text(
        f"""
        [process.inventory]
        services = ["inventory", "search"]    # one hears the other's events without a broker
        grpc = "127.0.0.1:{free_port()}"

        [process.shop]
        services = [{_named(except_for=("inventory", "search"))}]
        http = "127.0.0.1:{free_port()}"
        grpc = "127.0.0.1:{free_port()}"

        {MAIL_SETTINGS}
        """
    )
    program = from_artifact(MONOLITH_ARTIFACT)
    settings = ["--topology", str(topology), "--data", str(directory / "data")]
    return [
        Launch("inventory", [*program, *settings, "--process", "inventory"], listens=1),
        Launch("shop", [*program, *settings, "--process", "shop"], listens=2),
    ]


def _split_over_nats(directory: Path) -> list[Launch]:
    topology, port = directory / "nats.toml", free_port()
    topology.write_text(
        f"""
        [process.director]
        http = "127.0.0.1:{free_port()}"

        [process.inventory]
        services = ["inventory"]
        nats = "nats://127.0.0.1:{port}"
        grpc = "127.0.0.1:{free_port()}"    # for tests that call it with stubs of protoc's

        [process.shopping_cart]
        services = [{_named(except_for=("inventory", "orders"))}]
        nats = "nats://127.0.0.1:{port}"

        [process.orders]
        services = ["orders"]
        nats = "nats://127.0.0.1:{port}"

        {MAIL_SETTINGS}

        [events]
        broker = "nats://127.0.0.1:{port}"
        """
    )
    settings = ["--topology", str(topology), "--data", str(directory / "data"), "--process"]
    return [
        Launch("nats", broker_command(port, directory), listens=0),
        Launch("inventory", [*SOURCES, *settings, "inventory"], listens=2),
        Launch("shopping_cart", [*SOURCES, *settings, "shopping_cart"], listens=1),
        Launch("orders", [*SOURCES, *settings, "orders"], listens=1),
        Launch("director", [*SOURCES, *settings, "director"], listens=1),
    ]


def _named(*, except_for: tuple[str, ...]) -> str:
    """The services of the shop as a topology lists them, without some."""
    return ", ".join(f'"{name}"' for name in SERVICES if name not in except_for)


SOURCES: Final = from_sources("director.monolith")

TOPOLOGIES: Final[Mapping[str, Callable[[Path], list[Launch]]]] = {
    "monolith": partial(_monolith, SOURCES),
    "monolith_strict": partial(_monolith, [*SOURCES, "--strict"]),
    "monolith_artifact": partial(_monolith, from_artifact(MONOLITH_ARTIFACT)),
    "split_artifacts": _split,
    "monolith_artifact_twice": _monolith_twice,
    "split_over_nats": _split_over_nats,
    "inventory_in_node": partial(_split, polyglot=True),
}
"""Every topology that the whole-system tests run over, by name."""
