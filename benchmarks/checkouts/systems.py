"""The shop as it is deployed: in one process, or each service and the director apart.

A payment provider that refuses nothing stands beside each, in a process of its own.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import make_url

from benchmarks.broker import nats_server
from benchmarks.postgres import Postgres, postgres
from benchmarks.routes.catalogue import write_csv
from benchmarks.servers import Server, children, cpu_of, module_process, run_module
from director import monolith
from services.payments.simulator import command_line as simulator

SERVICES: Final[Mapping[str, str]] = {
    service.name: f"services.{service.name}.service" for service in monolith.SERVICES
}
"""Modules of the artifacts that hold one service each."""

ITEMS: Final = 500
"""Items of the catalogue."""

DIRECTOR: Final = "director"
"""The process in front of a split shop."""


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
        topology: the file that says where its parts are; "" if there is none.
    """

    address: str
    takes_orders: str
    commands: Mapping[str, tuple[str, ...]]
    database: Postgres | None = None
    broker: int | None = None
    topology: str = ""
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
            # All at once, as whatever runs them does.
            with ThreadPoolExecutor() as threads:
                for _ in threads.map(self.start, self.commands):
                    pass
            yield
        finally:
            for ends in self._ends.values():
                ends.close()

    def pids(self, *, without: str = "") -> list[int]:
        """The ids of its processes, and of the workers that these have started.

        Args:
            without: the name of one that does not count.
        """
        started = [each.pid for name, each in self.running.items() if name != without]
        return [pid for each in started for pid in (each, *children(each))]

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU that its processes and its broker have used, and its database server."""
        own = self.pids() + ([] if self.broker is None else [self.broker])
        return sum(map(cpu_of, own)), self.database_cpu()

    def database_cpu(self) -> float:
        """Seconds of CPU that its database server has used, if it has one."""
        return 0.0 if self.database is None else self.database.cpu()


@contextmanager
def monolith_sqlite(http: str = "", module: str = monolith.__name__) -> Iterator[Shop]:
    """All services in one process, with embedded databases.

    Args:
        http: the table `[http]` of its topology, without its name.
        module: the artifact.
    """
    with _prepared() as (directory, provider):
        settings = ("--data", str(directory), "--setting", f"payments.provider={provider}")
        catalogue = _catalogue(directory)
        run_module(monolith.__name__, "inventory", "import", catalogue, *settings[:2])
        address = free_address()
        topology = directory / "topology.toml"
        topology.write_text(f"{_whole(address)}\n[http]\n{http}\n", encoding="utf-8")
        command = (module, "--topology", str(topology), *settings)
        shop = Shop(address, "shop", {"shop": command})
        with shop.run():
            yield shop


@contextmanager
def monolith_postgresql(*arguments: str) -> Iterator[Shop]:
    """All services in one process, with PostgreSQL.

    Args:
        arguments: more arguments of its command.
    """
    with _prepared() as (directory, provider), postgres() as server:
        address = free_address()
        topology = _topology(directory, server, provider, _whole(address))
        command = (monolith.__name__, "--topology", topology, *arguments)
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
            f'[process.{DIRECTOR}]\nhttp = "{address}"\n',
            f'[events]\nbroker = "{nats.url}"\n',
            *processes,
        )
        commands = {name: (each, "--topology", topology) for name, each in SERVICES.items()}
        director = (monolith.__name__, "--topology", topology, "--process", DIRECTOR)
        processes_of_it = commands | {DIRECTOR: director}
        shop = Shop(address, "orders", processes_of_it, server, nats.id, topology)
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


def _whole(address: str) -> str:
    """All services in one process, in a topology."""
    names = ", ".join(f'"{name}"' for name in SERVICES)
    return f'[process.shop]\nservices = [{names}]\nhttp = "{address}"\n'


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
