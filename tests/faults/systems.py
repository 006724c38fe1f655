"""The systems that things go wrong with: processes, databases, a broker, a payment provider.

Every process listens where it did after it was started again, and keeps its data.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from seam.testing.databases import StoppablePostgres
from seam.testing.nats import NatsServer
from seam.testing.proxy import proxying
from tests.faults.moving import moving
from tests.faults.parts import SERVICES, Part, System, provider_at, victim
from tests.faults.schedule import Fault
from tests.faults.victim import STEPS
from tests.system.processes import free_port, from_sources


@asynccontextmanager
async def monolith_sqlite(directory: Path) -> AsyncIterator[System]:
    """Everything in one process, with embedded databases."""
    http, provider = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    monolith = Part(
        [
            *victim(directory, "monolith", "shop"),
            *("--http", http, "--data", str(directory / "data")),
            *("--setting", f"payments.provider=http://{provider}"),
        ],
        directory / "monolith",
        listens=1,
    )
    system = System(
        url=f"http://{http}",
        parts={"provider": provider_at(directory, provider), "monolith": monolith},
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
            services = [{", ".join(f'"{name}"' for name in SERVICES)}]
            http = "{http}"
            {_shared(postgres, provider)}
            """
        )
        await _migrate(settings, directory, postgres.url)
        monolith = Part(
            [
                *victim(directory, "monolith", "shop"),
                *("--topology", str(settings)),
            ],
            directory / "monolith",
            listens=1,
        )
        system = System(
            url=f"http://{http}",
            parts={"provider": provider_at(directory, provider), "monolith": monolith},
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
                parts = {"provider": provider_at(directory, provider)}
                for name in SERVICES:
                    parts[name] = Part(
                        [
                            *victim(directory, name, name),
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
    "moving_sqlite_nats": moving,
}
"""The systems that orders are placed in while things go wrong."""


@asynccontextmanager
async def _running(system: System) -> AsyncIterator[None]:
    try:
        starts = (asyncio.to_thread(part.start) for part in system.parts.values())
        # Those that go on are waited for, so that all of them can be ended.
        for failed in await asyncio.gather(*starts, return_exceptions=True):
            if failed is not None:
                raise failed
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
