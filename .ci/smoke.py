"""Starts what a user starts and looks at it: the README's command, and the packaged artifact."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 300.0


def main() -> int:
    """Run both, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="smoke-") as directory:
        flags = ["--http", "127.0.0.1:0", "--data", directory]
        for command in (
            [str(ROOT / "pants"), "run", "director:monolith", "--", *flags],
            [str(ROOT / "dist/director/monolith.pex"), *flags],
        ):
            print(f"{' '.join(command)}: {visit(command, directory)} items", flush=True)
    return 0


def visit(command: Sequence[str], directory: str) -> int:
    """Start a shop, page through its catalogue and end it; return the number of items.

    Raises:
        RuntimeError: it did not start.
        subprocess.TimeoutExpired: it did not end when it was asked to.
    """
    cwd = ROOT if command[0].endswith("pants") else directory
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    overdue = threading.Timer(START_TIMEOUT, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise RuntimeError(f"expected the address, got {line!r}")
        url = line.removeprefix("listening on ").strip()
        items = count_items(url)
        # As Ctrl-C in a terminal does: to all processes that the command has started.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    finally:
        overdue.cancel()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return items


def count_items(url: str) -> int:
    """Count the items that the shop lists, page by page."""
    count, token = 0, ""
    while True:
        with urllib.request.urlopen(f"{url}/v1/inventory?pageSize=100&pageToken={token}") as answer:
            page = json.load(answer)
        count += len(page["items"])
        token = page["nextPageToken"]
        if not token:
            return count


if __name__ == "__main__":
    sys.exit(main())
