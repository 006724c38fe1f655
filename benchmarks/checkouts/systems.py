"""The shop as it is deployed: in one process, or each service and the director apart.

A payment provider that refuses nothing stands beside each, in a process of its own.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import make_url

from benchmarks.broker import nats_server
from benchmarks.postgres import Postgres, postgres
from benchmarks.routes.catalogue import write_csv
from benchmarks.servers import Server, cpu_of, module_process, run_module
from director import monolith
from services.authentication import service as authentication
from services.customer_chat import service as customer_chat
from services.inventory import service as inventory
from services.notifications import service as notifications
from services.orders import service as orders
from services.payments import service as payments
from services.payments.simulator import command_line as simulator
from services.search import service as search
from services.shopping_cart import service as shopping_cart

SERVICES: Final[Mapping[str, str]] = {
    "inventory": inventory.__name__,
    "shopping_cart": shopping_cart.__name__,
    "payments": payments.__name__,
    "orders": orders.__name__,
    "authentication": authentication.__name__,
    "customer_chat": customer_chat.__name__,
    "search": search.__name__,
    "notifications": notifications.__name__,
}
"""Modules of the artifacts that hold one service each."""

ITEMS: Final = 500
"""Items of the catalogue."""


@dataclass
class Shop:
    """A shop that runs.

    Attributes:
        address: HOST:PORT that customers know.
        takes_orders: the name of the process that orders are placed in.
        commands: module and arguments of each of its processes, by name.
        running: the processes.
        database: its database server, if it has one.
        broker: the process of its broker, if it has one.
    """

    address: str
    takes_orders: str
    commands: Mapping[str, tuple[str, ...]]
    database: Postgres | None = None
    broker: int | None = None
    running: dict[str, Server] = field(default_factory=dict)
    _ends: dict[str, ExitStack] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start one of its processes."""
        ends = self._ends[name] = ExitStack()
        self.running[name] = ends.enter_context(module_process(*self.commands[name]))

    def kill(self, name: str) -> None:
        """End one of its processes without warning."""
        os.kill(self.running.pop(name).pid, signal.SIGKILL)
        self._ends.pop(name).close()

    @contextmanager
    def run(self) -> Iterator[None]:
        """Run all processes while the block runs."""
        try:
            for name in self.commands:
                self.start(name)
            yield
        finally:
            for ends in self._ends.values():
                ends.close()

    def pids(self) -> list[int]:
        """The ids of its processes."""
        return [process.pid for process in self.running.values()]

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU that its processes and its broker have used, and its database server."""
        own = self.pids() + ([] if self.broker is None else [self.broker])
        return sum(map(cpu_of, own)), 0.0 if self.database is None else self.database.cpu()


@contextmanager
def monolith_sqlite() -> Iterator[Shop]:
    """All services in one process, with embedded databases."""
    with _prepared() as (directory, provider):
        settings = ("--data", str(directory), "--setting", f"payments.provider={provider}")
        catalogue = _catalogue(directory)
        run_module(monolith.__name__, "inventory", "import", catalogue, *settings[:2])
        address = free_address()
        command = (monolith.__name__, "--http", address, *settings)
        shop = Shop(address, "shop", {"shop": command})
        with shop.run():
            yield shop


@contextmanager
def monolith_postgresql() -> Iterator[Shop]:
    """All services in one process, with PostgreSQL."""
    with _prepared() as (directory, provider), postgres() as server:
        address = free_address()
        names = ", ".join(f'"{name}"' for name in SERVICES)
        topology = _topology(
            directory,
            server,
            provider,
            f'[process.shop]\nservices = [{names}]\nhttp = "{address}"\n',
        )
        command = (monolith.__name__, "--topology", topology)
        shop = Shop(address, "shop", {"shop": command}, server)
        with shop.run():
            yield shop


@contextmanager
def split() -> Iterator[Shop]:
    """Each service in a process of its own, with PostgreSQL and a broker."""
    with _prepared() as (directory, provider), postgres() as server, nats_server() as nats:
        address = free_address()
        processes = [
            f'[process.{name}]\nservices = ["{name}"]\ngrpc = "{free_address()}"\n'
            for name in SERVICES
        ]
        topology = _topology(
            directory,
            server,
            provider,
            f'[process.director]\nhttp = "{address}"\n',
            f'[events]\nbroker = "{nats.url}"\n',
            *processes,
        )
        commands = {name: (each, "--topology", topology) for name, each in SERVICES.items()}
        director = (monolith.__name__, "--topology", topology, "--process", "director")
        shop = Shop(address, "orders", commands | {"director": director}, server, nats.id)
        with shop.run():
            yield shop


SYSTEMS: Final[Mapping[str, Callable[[], AbstractContextManager[Shop]]]] = {
    "one process, SQLite": monolith_sqlite,
    "one process, PostgreSQL": monolith_postgresql,
    "fully split, PostgreSQL": split,
}
"""The shops, by what reports call them; the last one is what the others are compared with."""


@contextmanager
def _prepared() -> Iterator[tuple[Path, str]]:
    """A directory, and the URL of a payment provider that runs."""
    with TemporaryDirectory(prefix="shop-") as directory:
        ledger = str(Path(directory) / "ledger.db")
        arguments = ("--http", "127.0.0.1:0", "--ledger", ledger)
        with module_process(simulator.__name__, *arguments) as provider:
            yield Path(directory), f"http://{provider.address}"


def _topology(directory: Path, server: Postgres, provider: str, *processes: str) -> str:
    """Write a topology, and prepare its databases; gives the file's path."""
    administrator = server.create("shop")
    url = make_url(administrator).set(username="SERVICE").render_as_string(hide_password=False)
    url = url.replace("SERVICE", "{service}")
    file = directory / "topology.toml"
    file.write_text(
        "\n".join(
            (
                *processes,
                f'[database]\ndefault = "{url}"\n',
                f'[settings.payments]\nprovider = "{provider}"\n',
            )
        ),
        encoding="utf-8",
    )
    topology = ("--topology", str(file))
    run_module(monolith.__name__, "migrate", *topology, SEAM_ADMIN_URL=administrator)
    catalogue = _catalogue(directory)
    run_module(monolith.__name__, "inventory", "import", catalogue, *topology)
    return str(file)


def _catalogue(directory: Path) -> str:
    file = directory / "catalogue.csv"
    write_csv(ITEMS, file)
    return str(file)


def free_address() -> str:
    """HOST:PORT that nothing listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"
