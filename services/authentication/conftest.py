from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher

from seam.persistence import Database
from seam.testing import strict_channel
from seam.testing.databases import database_of, database_url, postgres_server
from seam.testing.properties import load_profile
from services.authentication.api.authentication_api import AuthenticationApi
from services.authentication.domain.clock import SECOND, wall_clock
from services.authentication.domain.password_hashing import PasswordHashing, password_hashing
from services.authentication.persistence.tables import Table
from services.authentication.records.api_bus import (
    AuthenticationApiStub,
    register_authentication_api,
)
from services.authentication.signing.key_store import KeyStore
from services.authentication.signing.sealing import Sealing

__all__ = ["database", "database_url", "postgres_server"]

load_profile()
database = database_of(Table.metadata)

QUICK = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)
"""For tests of something else than how hard it is to guess a password."""


class AdjustableClock:
    """A clock that stands still until a test sets it."""

    def __init__(self) -> None:
        self.now = wall_clock()

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        """Set it forward, or back."""
        self.now += int(seconds * SECOND)


@pytest.fixture
def clock() -> AdjustableClock:
    """What the service takes for the time."""
    return AdjustableClock()


@pytest.fixture
async def passwords() -> AsyncIterator[PasswordHashing]:
    """Hashes that are quickly made."""
    async with password_hashing(QUICK) as hashing:
        yield hashing


@pytest.fixture
async def keys(database: Database, clock: AdjustableClock) -> KeyStore:
    """Keys, of which there is one."""
    store = KeyStore(database, Sealing(None), clock)
    await store.look_after()
    return store


@pytest.fixture
def api(
    database: Database, passwords: PasswordHashing, keys: KeyStore, clock: AdjustableClock
) -> AuthenticationApiStub:
    """The API over a real database."""
    handler = AuthenticationApi(database, passwords, keys, clock)
    return AuthenticationApiStub(strict_channel(register_authentication_api(handler)))
