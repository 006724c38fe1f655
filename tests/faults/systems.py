"""The systems that things go wrong with: processes, databases, a broker, a payment provider.

Every process listens where it did after it was started again, and keeps its data.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import make_url

from seam.testing.databases import StoppablePostgres
from seam.testing.nats import NatsServer
from seam.testing.proxy import Proxy, proxying
from services.payments.simulator import command_line as simulator
from tests.faults.schedule import Fault
from tests.faults.victim import STEPS
from tests.system.processes import ShopProcess, free_port, from_sources

SERVICES: Final = ("inventory", "shopping_cart", "payments", "orders")

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
    """

    url: str
    parts: dict[str, Part]
    directory: Path
    possible: tuple[tuple[Fault, str], ...]
    steps: tuple[str, ...]
    postgres: StoppablePostgres | None = None
    nats: NatsServer | None = None
    proxy: Proxy | None = None

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


@asynccontextmanager
async def monolith_sqlite(directory: Path) -> AsyncIterator[System]:
    """Everything in one process, with embedded databases."""
    http, provider = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    monolith = Part(
        [
            *_victim(directory, "monolith", "shop"),
            *("--http", http, "--data", str(directory / "data")),
            *("--setting", f"payments.provider=http://{provider}"),
        ],
        directory / "monolith",
        listens=1,
    )
    system = System(
        url=f"http://{http}",
        parts={"provider": _provider(directory, provider), "monolith": monolith},
        directory=directory,
        possible=(
            (Fault.KILL, "monolith"),
            (Fault.FREEZE, "monolith"),
            (Fault.FILL_DISK, "monolith"),
            (Fault.KILL, "provider"),
            (Fault.FREEZE, "provider"),
        ),
        steps=tuple(f"monolith: {step}" for step in STEPS),
    )
    async with _running(system):
        yield system


@asynccontextmanager
async def monolith_postgresql(directory: Path) -> AsyncIterator[System]:
    """Everything in one process, with PostgreSQL."""
    http, provider = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    async with _postgres() as postgres:
        settings = directory / "settings.toml"
        settings.write_text(
            f"""
            [process.monolith]
            services = ["inventory", "shopping_cart", "payments", "orders"]
            http = "{http}"
            {_shared(postgres, provider)}
            """
        )
        await _migrate(settings, directory, postgres.url)
        monolith = Part(
            [
                *_victim(directory, "monolith", "shop"),
                *("--topology", str(settings)),
            ],
            directory / "monolith",
            listens=1,
        )
        system = System(
            url=f"http://{http}",
            parts={"provider": _provider(directory, provider), "monolith": monolith},
            directory=directory,
            possible=(
                (Fault.KILL, "monolith"),
                (Fault.FREEZE, "monolith"),
                (Fault.KILL, "provider"),
                (Fault.RESTART, "database"),
                (Fault.CRASH, "database"),
                (Fault.FREEZE, "database"),
            ),
            steps=tuple(f"monolith: {step}" for step in STEPS),
            postgres=postgres,
        )
        async with _running(system):
            yield system


@asynccontextmanager
async def split(directory: Path) -> AsyncIterator[System]:
    """Every service in a process of its own, with PostgreSQL and a NATS broker."""
    http, provider = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="nats-") as store:
        nats = NatsServer(Path(store))
        nats.start()
        try:
            async with _postgres() as postgres, proxying(nats.address) as proxy:
                settings = directory / "split.toml"
                processes = "\n".join(
                    f'[process.{service}]\nservices = ["{service}"]\n'
                    f'grpc = "127.0.0.1:{free_port()}"'
                    for service in SERVICES
                )
                settings.write_text(
                    f"""
                    [process.director]
                    http = "{http}"
                    [events]
                    broker = "nats://{proxy.address}"
                    {processes}
                    {_shared(postgres, provider)}
                    """
                )
                await _migrate(settings, directory, postgres.url)
                parts = {"provider": _provider(directory, provider)}
                for name in SERVICES:
                    parts[name] = Part(
                        [
                            *_victim(directory, name, name),
                            *("--topology", str(settings)),
                        ],
                        directory / name,
                        listens=1,
                    )
                parts["director"] = Part(
                    [
                        *from_sources("director.monolith"),
                        *("--topology", str(settings), "--process", "director"),
                    ],
                    directory / "director",
                    listens=1,
                )
                system = System(
                    url=f"http://{http}",
                    parts=parts,
                    directory=directory,
                    possible=(
                        *((Fault.KILL, name) for name in parts),
                        *((Fault.FREEZE, name) for name in SERVICES),
                        (Fault.RESTART, "database"),
                        (Fault.CRASH, "database"),
                        (Fault.RESTART, "broker"),
                        (Fault.CRASH, "broker"),
                        (Fault.FREEZE, "broker"),
                        (Fault.DELAY, "broker"),
                        (Fault.DUPLICATE, "broker"),
                    ),
                    steps=tuple(_steps_of_services()),
                    postgres=postgres,
                    nats=nats,
                    proxy=proxy,
                )
                async with _running(system):
                    yield system
        finally:
            nats.kill()


SYSTEMS: Final[Mapping[str, Callable[[Path], AbstractAsyncContextManager[System]]]] = {
    "monolith_sqlite": monolith_sqlite,
    "monolith_postgresql": monolith_postgresql,
    "split_postgresql_nats": split,
}
"""The systems that orders are placed in while things go wrong."""


@asynccontextmanager
async def _running(system: System) -> AsyncIterator[None]:
    try:
        for part in system.parts.values():
            await asyncio.to_thread(part.start)
        yield
    finally:
        for part in system.parts.values():
            part.signal(signal.SIGCONT)
            part.kill()


@asynccontextmanager
async def _postgres() -> AsyncIterator[StoppablePostgres]:
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        server = await asyncio.to_thread(StoppablePostgres, Path(directory))
        try:
            yield server
        finally:
            server.close()


async def _migrate(settings: Path, directory: Path, administrator: str) -> None:
    """Make the roles and the tables of all services, and fill the catalogue."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(_PYTHON_PATH),
        "SEAM_ADMIN_URL": administrator,
    }
    for command in (
        ["migrate"],
        ["inventory", "import", str(_CATALOGUE)],
    ):
        process = await asyncio.create_subprocess_exec(
            *from_sources("director.monolith"),
            *command,
            *("--topology", str(settings)),
            cwd=directory,
            env=environment,
        )
        assert await process.wait() == 0, command


_PYTHON_PATH: Final = [str(Path(each).absolute()) for each in sys.path if each]
_CATALOGUE: Final = Path("services/inventory/commands/products.csv").absolute()


def _shared(postgres: StoppablePostgres, provider: str) -> str:
    template = make_url(postgres.url).set(username="SERVICE")
    url = template.render_as_string(hide_password=False).replace("SERVICE", "{service}")
    return f'[database]\ndefault = "{url}"\n[settings.payments]\nprovider = "http://{provider}"\n'


def _provider(directory: Path, address: str) -> Part:
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


def _victim(directory: Path, name: str, program: str) -> list[str]:
    return [*from_sources("tests.faults.victim"), str(directory / name / "ends_at"), program]


def _steps_of_services() -> list[str]:
    """The steps, each with the process that passes it."""
    found = []
    for step in STEPS:
        if step.startswith("commits of "):
            process = step.removeprefix("commits of ").partition(",")[0]
        else:
            process = "payments" if "the provider" in step else "orders"
        found.append(f"{process}: {step}")
    return found
