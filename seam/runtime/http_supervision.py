"""Which processes can be run by workers, and running one so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from seam.runtime.http_reload import Sources
from seam.runtime.http_started_worker import Addresses
from seam.runtime.http_workers import Supervisor, same_command
from seam.runtime.listening import bind_http
from seam.runtime.service import Service
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import Settings, database_location
from seam.runtime.topology import Process, Topology

MAXIMUM_WORKERS: Final = 256

ENDING: Final = 30.0
"""Seconds after its drain in which a worker has ended, or never will."""


def check_supervision(
    process: Process,
    hosted: Sequence[Service],
    settings: Settings,
    topology: Topology,
    *,
    workers: int | None,
    reload: bool,
) -> int:
    """Check that a process can be run by workers; gives how many.

    Args:
        process: the process.
        hosted: the services that it hosts.
        settings: what was set for this run.
        topology: all processes.
        workers: how many were asked for, if they were.
        reload: whether there is one that is started anew when a source file changes.

    Raises:
        SettingsError: it cannot; says what to do.
    """
    flag = "--reload" if reload else f"--workers {workers}"
    number = 1 if workers is None else workers
    if not 1 <= number <= MAXIMUM_WORKERS:
        raise SettingsError(f"{flag}: expected a number from 1 to {MAXIMUM_WORKERS}")
    if reload and number > 1:
        raise SettingsError(f"--reload: expected no --workers {number}; it runs one process")
    if process.http is None:
        raise SettingsError(
            f"{flag}: process '{process.name}' serves no HTTP; start it several times"
        )
    if process.grpc is not None and (process.grpc.is_unix or process.grpc.port == 0):
        raise SettingsError(
            f"{flag}: grpc {process.grpc}: expected HOST:PORT with a port that is not 0, "
            "which all workers can answer on"
        )
    for service in hosted:
        url = database_location(settings, service.name, topology).url
        if number > 1 and service.migrations is not None and url.startswith("sqlite:"):
            raise SettingsError(
                f"{flag}: {service.name} keeps its data in an SQLite file, which one process "
                "writes; name a PostgreSQL for it (--database "
                f"{service.name}=postgresql://… or [database] in the topology)"
            )
    return number


def supervise(
    process: Process,
    number: int,
    drain: float,
    sources: Sources | None,
    announce: Callable[[Addresses], None],
) -> int:
    """Run a process by workers until a signal asks to end; gives the exit status.

    Args:
        process: the process, which serves HTTP.
        number: how many workers.
        drain: seconds that they answer as before at their end.
        sources: start the one worker anew when they change.
        announce: is told where they serve.

    Raises:
        SettingsError: its address cannot be bound.
    """
    assert process.http is not None
    listener = bind_http(process.http)
    patience = drain + ENDING

    async def run() -> int:
        supervisor = Supervisor(
            same_command(), listener, workers=number, patience=patience, announce=announce
        )
        if sources is not None:
            return await supervisor.run_reloading(sources)
        return await supervisor.run()

    return asyncio.run(run())
