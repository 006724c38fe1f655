from __future__ import annotations

from collections.abc import AsyncIterator

import nats
import pytest

from seam.testing.databases import database_url, postgres_server, stoppable_postgres
from seam.testing.nats import NatsServer, nats_server, stoppable_nats

__all__ = [
    "broker",
    "database_url",
    "nats_server",
    "postgres_server",
    "stoppable_nats",
    "stoppable_postgres",
]


@pytest.fixture(params=["in the process", "over JetStream"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[str | None]:
    """URL of a broker without streams; None where publisher and subscriber share a process."""
    if request.param == "in the process":
        yield None
        return
    server: NatsServer = request.getfixturevalue("nats_server")
    yield server.url
    client = await nats.connect(server.url)
    jetstream = client.jetstream()
    for stream in await jetstream.streams_info():
        assert stream.config.name is not None
        await jetstream.delete_stream(stream.config.name)
    await client.close()
