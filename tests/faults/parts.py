"""What a system is made of that things go wrong with: its processes and what they stand on."""

from __future__ import annotations

import resource
import signal
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from seam.testing.databases import StoppablePostgres
from seam.testing.nats import NatsServer
from seam.testing.proxy import Proxy
from services.payments.simulator import command_line as simulator
from tests.faults.schedule import Fault
from tests.system.processes import ShopProcess, from_sources

SERVICES: Final = (
    "inventory",
    "shopping_cart",
    "payments",
    "orders",
    "authentication",
    "customer_chat",
    "search",
    "notifications",
)

_MISBEHAVIOUR: Final = ("unavailable=0.02", "drop=0.02", "late=0.02", "lose=0.02", "twice=0.05")


class Part:
    """A process of a system, which ends and is started again."""

    def __init__(self, command: Sequence[str], directory: Path, *, listens: int) -> None:
        """Prepare a process.

        Args:
            command: the program and its arguments.
            directory: where it runs.
            listens: how many ports it announces.
        """
        self._command = command
        self._directory = directory
        self._listens = listens
        self._process: ShopProcess | None = None

    @property
    def ends_at(self) -> Path:
        """The file that names the step that it ends at."""
        return self._directory / "ends_at"

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.is_running

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self.is_running:
            self.kill()
            self._directory.mkdir(exist_ok=True, parents=True)
            self._process = ShopProcess(
                self._command, listens=self._listens, directory=self._directory
            )

    def kill(self) -> None:
        """End it without warning, and let go of what it leaves."""
        if self._process is not None:
            self._process.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None:
            self._process.signal(number)

    def limit_files(self, size: int) -> None:
        """Let it write no further than `size` bytes into any file, as if its disk were full."""
        if self._process is not None and self.is_running:
            resource.prlimit(
                self._process.id, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)
            )


@dataclass
class System:
    """One running shop, and what can go wrong with it.

    Attributes:
        url: where customers reach it.
        parts: its processes, by name.
        directory: where everything lies.
        possible: what can happen to which part.
        steps: the steps that a process can end at, as `PROCESS: STEP`.
        postgres: its database server, if it has one.
        nats: its broker, if it has one.
        proxy: what stands between its processes and the broker.
        move: ends its processes, and has others in their places.
    """

    url: str
    parts: dict[str, Part]
    directory: Path
    possible: tuple[tuple[Fault, str], ...]
    steps: tuple[str, ...]
    postgres: StoppablePostgres | None = None
    nats: NatsServer | None = None
    proxy: Proxy | None = None
    move: Callable[[], None] | None = None

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """What a query gives on the data of a service, past all of its code.

        Args:
            service: whose data.
            query: SQL in which `{schema}` stands before the name of a table.
        """
        if self.postgres is not None:
            with psycopg.connect(self.postgres.url) as connection:
                return list(connection.execute(query.format(schema=f"{service}.").encode()))
        with closing(sqlite3.connect(self.directory / "data" / f"{service}.db")) as database:
            return list(database.execute(query.format(schema="")))

    def money(self) -> dict[str, int]:
        """Minor units that the payment provider holds, by payment id."""
        with closing(sqlite3.connect(self.directory / "ledger.db")) as ledger:
            return dict(
                ledger.execute("SELECT key, minor_units FROM charge WHERE status = 'charged'")
            )


def provider_at(directory: Path, address: str) -> Part:
    """The payment provider, which misbehaves now and then."""
    return Part(
        [
            *from_sources(simulator.__name__),
            *("--http", address, "--ledger", str(directory / "ledger.db")),
            *("--decline", "0.1", "--delay", "4"),
            *(word for fault in _MISBEHAVIOUR for word in ("--fault", fault)),
        ],
        directory / "provider",
        listens=1,
    )


def victim(directory: Path, name: str, program: str) -> list[str]:
    """The command of a program that ends at the steps that it is told of."""
    return [*from_sources("tests.faults.victim"), str(directory / name / "ends_at"), program]
