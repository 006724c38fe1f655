"""Starts processes of the shop and ends them again, by their process ids."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

START_TIMEOUT: Final = 60.0
"""Seconds a process has to say where it listens; a PEX unpacks itself the first time."""

END_TIMEOUT: Final = 20.0
"""Seconds a process has to finish after SIGTERM."""


class ShopProcess:
    """One running process of the shop."""

    def __init__(self, command: Sequence[str], *, listens: int, directory: Path) -> None:
        """Start `command` and wait until it listens.

        Args:
            command: the program and its arguments.
            listens: how many ports it will announce.
            directory: its working directory, where its log goes as well.

        Raises:
            AssertionError: it ended, or did not announce its ports in time.
        """
        self.addresses: dict[str, str] = {}
        self._log = (directory / "log.txt").open("ab")
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env=_environment(command, directory),
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._announced = threading.Semaphore(0)
        threading.Thread(target=self._read, daemon=True).start()
        for _ in range(listens):
            if not self._announced.acquire(timeout=START_TIMEOUT) or len(self.addresses) == 0:
                self.kill()
                log = (directory / "log.txt").read_text()
                raise AssertionError(f"{' '.join(command)} did not start:\n{log}")

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> None:
        """Ask the process to end, and check that it does so cleanly."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(END_TIMEOUT)
        finally:
            self.kill()
        assert code == 0, f"ended with {code} after SIGTERM"

    def kill(self) -> None:
        """End the process without warning, if it still runs."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                scheme, _, address = line.decode().removeprefix("listening on ").partition("://")
                self.addresses[scheme] = address.strip()
                self._announced.release()
        self._announced.release()


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def from_sources(module: str) -> list[str]:
    """The command that runs a module of this checkout."""
    return [sys.executable, "-m", module]


def from_artifact(path: str) -> list[str]:
    """The command that runs a packaged artifact with a Python that knows no libraries."""
    artifact = Path(path).absolute()
    return [getattr(sys, "_base_executable", sys.executable), str(artifact)]


def _environment(command: Sequence[str], directory: Path) -> dict[str, str]:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "PEX_ROOT": str(Path(tempfile.gettempdir(), f"shop-pex-{os.getpid()}")),
    }
    if not command[1].endswith(".pex"):
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return environment
