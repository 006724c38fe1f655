"""The command line of an artifact.

`serve` runs a process and is the default; `migrate` and `downgrade` look after tables, `events`
after what is published, `certificates` after what processes prove to each other; each service adds
what else it can do under its own name. A setting is taken from its flag, else from the environment
variable of the same name with `SEAM_` before it, else from the topology file.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Final, TypeAlias

import uvloop
from cyclopts import App, Parameter
from cyclopts.config import Env

from seam.http.static_site import MissingSiteError, StaticSite
from seam.persistence import CannotOpenDatabaseError
from seam.persistence.migrations import MigrationError
from seam.runtime.certificate_commands import add_certificate_commands
from seam.runtime.declarations import ServiceError
from seam.runtime.event_commands import add_event_commands
from seam.runtime.hosting import hosting
from seam.runtime.http_reload import Sources
from seam.runtime.http_supervision import check_supervision, supervise
from seam.runtime.http_worker import Worker
from seam.runtime.migration_commands import add_migration_commands
from seam.runtime.service import Service
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import (
    ENVIRONMENT_PREFIX,
    Artifact,
    Settings,
    check_databases,
    database_location,
    service_settings,
)
from seam.runtime.topology import Address, Process, Topology, TopologyError

log = logging.getLogger(__name__)

EXIT_CUT_OFF: Final = 1
EXIT_BAD_SETTINGS: Final = 2

DEFAULT_DRAIN: Final = 0.2
"""Seconds that other processes of ours need to hear that one is about to leave."""

MAXIMUM_DRAIN: Final = 3_600.0


AddCommands: TypeAlias = Callable[[App, Artifact], None]
"""Adds commands to those that every artifact has."""


def main(
    name: str,
    services: tuple[Service, ...],
    *,
    whole_system: bool = False,
    add_commands: AddCommands | None = None,
    sites: tuple[StaticSite, ...] = (),
) -> None:
    """Run the command line of an artifact, then end the interpreter.

    Args:
        name: what people call the artifact.
        services: the services that it holds.
        whole_system: whether these are all services of the system.
        add_commands: gives the artifact commands of its own.
        sites: files that it serves to browsers.
    """
    # What was imported stays: no collection while the process starts need walk through it.
    gc.freeze()
    artifact = Artifact(name, services, whole_system, sites)
    app = command_line(artifact)
    if add_commands is not None:
        add_commands(app, artifact)
    try:
        sys.exit(app(sys.argv[1:]))
    except (
        SettingsError,
        TopologyError,
        ServiceError,
        CannotOpenDatabaseError,
        MigrationError,
        MissingSiteError,
    ) as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_SETTINGS)


def command_line(artifact: Artifact) -> App:
    """Make the commands of an artifact."""
    hosted = ", ".join(service.name for service in artifact.services)
    app = App(
        name=artifact.name,
        help=f"Runs {hosted}; without a command, it serves them.",
        config=Env(ENVIRONMENT_PREFIX, command=False),
        version_flags=[],
        result_action="return_value",
    )

    @app.default
    @app.command
    def serve(
        *,
        http: str | None = None,
        grpc: str | None = None,
        process: str | None = None,
        strict: bool = False,
        drain: float = DEFAULT_DRAIN,
        workers: int | None = None,
        reload: Annotated[bool, Parameter(negative=())] = False,
        settings: Settings = Settings(),  # noqa: B008
    ) -> None:
        """Serve until asked to end (SIGTERM or SIGINT), then finish what is under way.

        A second signal ends the process at once.

        Prints one line for each port that it listens on: `listening on http://HOST:PORT`.

        Args:
            http: HOST:PORT to serve HTTP on; port 0 lets the system choose.
            grpc: HOST:PORT to answer other processes on.
            process: which process of the topology to run.
            strict: send every call within the process through its wire form, as tests do.
            drain: seconds between saying that it is no longer ready and taking no more requests;
                more than a load balancer needs to notice.
            workers: how many processes serve, to use as many cores; needs a PostgreSQL. At SIGHUP
                they are replaced, and no request is refused.
            reload: start anew whenever a source file changes; for development.
            settings: where the system's parts are.
        """
        topology = artifact.topology(settings)
        chosen = choose(topology, artifact, process)
        chosen = replace(
            chosen,
            http=_address("--http", http) or chosen.http,
            grpc=_address("--grpc", grpc) or chosen.grpc,
        )
        if not 0 <= drain <= MAXIMUM_DRAIN:
            raise SettingsError(f"--drain {drain}: expected seconds from 0 to {MAXIMUM_DRAIN:.0f}")
        worker = None if chosen.http is None else Worker.inherit(chosen.http.host)
        supervises = worker is None and (workers is not None or reload)
        # Several processes write one log.
        who = "[%(process)d] " if worker or supervises else ""
        logging.basicConfig(
            stream=sys.stderr,
            level=logging.INFO,
            format=f"%(asctime)s %(levelname)s {who}%(name)s: %(message)s",
        )
        for chatty in ("uvicorn", "alembic"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        if supervises:
            names = [service.name for service in artifact.services]
            check_databases(settings, names)
            hosted = [each for each in artifact.services if each.name in chosen.services]
            number = check_supervision(
                chosen, hosted, settings, topology, workers=workers, reload=reload
            )
            sources = Sources(filter(None, [settings.topology])) if reload else None
            sys.exit(supervise(chosen, number, drain, sources, announce))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            serving = _serve(
                artifact, topology, chosen, settings, worker, strict=strict, drain=drain
            )
            try:
                runner.run(serving)
            except asyncio.CancelledError:
                sys.exit(EXIT_CUT_OFF)

    add_migration_commands(app, artifact)
    add_event_commands(app, artifact)
    add_certificate_commands(app, artifact)
    for service in artifact.services:
        if service.commands is not None:
            app.command(service.commands, name=service.name)
    return app


def choose(topology: Topology, artifact: Artifact, name: str | None) -> Process:
    """The process of a topology that an artifact is to run.

    Args:
        topology: all processes.
        artifact: what this one can host.
        name: the name that was asked for, if any.

    Raises:
        SettingsError: there is no such process, it hosts what the artifact does not hold, or
            none was named and more than one is possible.
    """
    held = {service.name for service in artifact.services}
    names = ", ".join(topology.processes)
    if name is not None:
        process = topology.processes.get(name)
        if process is None:
            raise SettingsError(f"--process '{name}' is not in the topology; expected {names}")
        missing = [service for service in process.services if service not in held]
        if missing:
            raise SettingsError(
                f"--process '{name}' hosts {', '.join(missing)}, which this artifact does not hold"
            )
        return process
    possible = [
        process
        for process in topology.processes.values()
        if held.issuperset(process.services) and (process.services or artifact.whole_system)
    ]
    if len(possible) != 1:
        raise SettingsError(f"--process: say which process to run; expected one of {names}")
    return possible[0]


async def _serve(
    artifact: Artifact,
    topology: Topology,
    process: Process,
    settings: Settings,
    worker: Worker | None,
    *,
    strict: bool,
    drain: float,
) -> None:
    asked_to_end = _signals(worker)
    if worker is not None:
        await worker.listen_to_supervisor(asked_to_end)
    names = [service.name for service in artifact.services]
    check_databases(settings, names)
    databases = {name: database_location(settings, name, topology) for name in names}
    async with hosting(
        process,
        topology,
        artifact.services,
        databases,
        title=artifact.name,
        strict=strict,
        drain=drain,
        worker=worker,
        settings=service_settings(settings, names, topology),
        sites=artifact.sites,
    ) as bound:
        # All that was loaded stays. To look through it for garbage again and again would hold all
        # requests up for a tenth of a second each time.
        gc.freeze()
        if worker is None:
            announce(bound.listening())
            if bound.tls is not None:
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, bound.tls.renew)
        else:
            worker.report(bound.listening())
        await asked_to_end.wait()
        log.info("asked to end: finishing what is under way")
    if worker is not None:
        await worker.take_leave()


def announce(addresses: Mapping[str, str]) -> None:
    """Print where a process listens, by scheme."""
    for scheme, address in addresses.items():
        print(f"listening on {scheme}://{address}", flush=True)


def _signals(worker: Worker | None) -> asyncio.Event:
    """What the first signal sets, or a worker's supervisor; the second cancels the current task."""
    asked_to_end = asyncio.Event()
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if asked_to_end.is_set() and serving is not None:
            log.warning("asked to end again: leaving what is under way")
            serving.cancel()
        elif worker is not None:
            # Whoever asks a worker to end means it alone.
            worker.listener.outlives = True
        asked_to_end.set()

    loop.add_signal_handler(signal.SIGTERM, end)
    if worker is None:
        loop.add_signal_handler(signal.SIGINT, end)
    else:
        # A terminal sends these to all processes, and the supervisor knows what to do.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return asked_to_end


def _address(flag: str, text: str | None) -> Address | None:
    try:
        return None if text is None else Address.parse(text)
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}") from None
