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

from tests.system.logs import LOGS

START_TIMEOUT: Final = 60.0
"""Seconds a process has to say where it listens; a PEX unpacks itself the first time."""

END_TIMEOUT: Final = 20.0
"""Seconds a process has to finish after SIGTERM."""


UNPACKED: Final = Path(tempfile.gettempdir(), f"shop-pex-{os.getuid()}")
"""Where artifacts unpack themselves: one place for all tests, and all runs of them, since it takes
longer than a start. What is there is found by what an artifact holds, so it is never outdated."""


class ShopProcess:
    """One running process of the shop."""

    def __init__(
        self, command: Sequence[str], *, listens: int, directory: Path, wait: bool = True
    ) -> None:
        """Start `command` and wait until it listens.

        Args:
            command: the program and its arguments.
            listens: how many ports it will announce.
            directory: its working directory, where its log goes as well.
            wait: without it, `wait_until_listening` is left to the caller, who has more to start.

        Raises:
            AssertionError: it ended, or did not announce its ports in time.
        """
        self._command = command
        self._listens = listens
        self._log_file = directory / "log.txt"
        self.addresses: dict[str, str] = {}
        self._log = self._log_file.open("ab")
        LOGS.append(self._log_file)
        self._process = subprocess.Popen(
            command,
            cwd=directory,
            env=_environment(command, directory),
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._asked_to_end = False
        self._announced = threading.Semaphore(0)
        threading.Thread(target=self._read, daemon=True).start()
        if wait:
            self.wait_until_listening()

    def wait_until_listening(self) -> None:
        """Wait until it has announced its ports.

        Raises:
            AssertionError: it ended, or did not announce its ports in time.
        """
        for _ in range(self._listens):
            if not self._announced.acquire(timeout=START_TIMEOUT) or len(self.addresses) == 0:
                self.kill()
                log = self._log_file.read_text()
                raise AssertionError(f"{' '.join(self._command)} did not start:\n{log}")

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ask_to_end(self) -> None:
        """Ask the process to end, and do not wait."""
        self._asked_to_end = True
        self._process.send_signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> None:
        """Ask the process to end, if nobody has yet, and check that it does so cleanly."""
        if not self._asked_to_end:
            self.ask_to_end()
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
        "PEX_ROOT": str(UNPACKED),
    }
    if not command[1].endswith(".pex"):
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return environment
