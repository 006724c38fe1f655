"""TLS to PostgreSQL, as its URL asks for it.

The server of the tests listens on a Unix socket; before it stands what ends TLS for it, and speaks
as PostgreSQL does (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import MetaData, make_url, text

from seam.persistence import CannotOpenDatabaseError, Query, open_database

CERTIFICATE: Final = """\
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUIlytAwwm2Np9DJHu8nGLD5kl/ZcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDIwNDI0MVoYDzIxMjYxMDMx
MjA0MjQxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASaLdyRqMiXRpDrzaTNCnEsffDG14cA3zfKmtOl1ovlgX6KJ9wfhxnm
kjEEUO53i/WdzeurET/QR0lP5G8FiTjdo28wbTAdBgNVHQ4EFgQUR2P6GzwMxzKT
9RPLLmzOYRr7q08wHwYDVR0jBBgwFoAUR2P6GzwMxzKT9RPLLmzOYRr7q08wDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAIBVEboDWlAJEDPT1iGKjtx/TszpKpEGcuK6cW0f5njYAiAQ
6t7WZHKnIYxMNBesqr1VcGY4HsBxIjsNS/lvFBxI/w==
-----END CERTIFICATE-----
"""
"""Of `localhost`, signed by itself, for a hundred years."""

KEY: Final = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwT0ZYhdRoo4ASBxS
oO0qJBvb2eHxiyjrf3uAf9teeIGhRANCAASaLdyRqMiXRpDrzaTNCnEsffDG14cA
3zfKmtOl1ovlgX6KJ9wfhxnmkjEEUO53i/WdzeurET/QR0lP5G8FiTjd
-----END PRIVATE KEY-----
"""
"""Guards nothing but these tests."""


@asynccontextmanager
async def ending_tls(socket: str, folder: Path, *, offers: bool) -> AsyncIterator[int]:
    """Listen with or without TLS before a Unix socket; gives the port."""
    (folder / "cert.pem").write_text(CERTIFICATE)
    (folder / "key.pem").write_text(KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    tasks: set[asyncio.Task[Any]] = set()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        sink.transport.abort()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers = [writer]
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            first = await reader.readexactly(8)
            near, near_writer = await asyncio.open_unix_connection(socket)
            writers.append(near_writer)
            if first[4:] != (80877103).to_bytes(4, "big"):
                near_writer.write(first)
            elif offers:
                writer.write(b"S")
                await writer.start_tls(context)
            else:
                writer.write(b"N")
            await asyncio.gather(pump(reader, near_writer), pump(near, writer))
        for each in writers:
            each.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Transports that were aborted are closed in a later turn of the loop.
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("offers", "parameters", "connects"),
    [
        (True, "sslmode=require", True),
        (True, "sslmode=verify-full&sslrootcert={folder}/cert.pem", True),
        (True, "sslmode=verify-full&sslrootcert={folder}/other.pem", False),
        (True, "sslmode=disable", True),
        (False, "sslmode=prefer", True),
        (False, "sslmode=require", False),
    ],
)
async def test_a_url_says_whether_tls_is_used_and_whom_it_trusts(
    postgres_server: Any, tmp_path: Path, offers: bool, parameters: str, connects: bool
) -> None:
    location = make_url(postgres_server.get_uri())
    (tmp_path / "other.pem").write_text("")
    async with ending_tls(
        f"{location.query['host']}/.s.PGSQL.5432", tmp_path, offers=offers
    ) as port:
        url = f"postgresql://{location.username}@localhost:{port}/{location.database}"
        opened = open_database(
            f"{url}?{parameters.format(folder=tmp_path)}", MetaData(schema="tls")
        )
        if connects:
            async with opened as database:
                assert await database.fetch_one(Query(text("SELECT 1"), int)) == 1
        else:
            with pytest.raises(CannotOpenDatabaseError):
                async with opened:
                    raise AssertionError("it was opened")
    postgres_server.psql("DROP SCHEMA IF EXISTS tls;")
