from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from lib.grpc_inprocess.hosts import LOCAL, LOOPBACK, Host


@pytest.fixture(params=[LOCAL, LOOPBACK])
async def host(request: pytest.FixtureRequest) -> AsyncIterator[Host]:
    """Every test that takes it runs in this process and behind a socket."""
    async with AsyncExitStack() as stack:
        yield Host(request.param, stack)


@pytest.fixture
async def local() -> AsyncIterator[Host]:
    """For what only this package can do."""
    async with AsyncExitStack() as stack:
        yield Host(LOCAL, stack)
