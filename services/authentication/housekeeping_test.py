from __future__ import annotations

import pytest
from sqlalchemy import func, select

from seam.persistence import Database, Query
from services.authentication.conftest import AdjustableClock
from services.authentication.domain.email_address import read_email_address
from services.authentication.housekeeping import housekeeping, tidy
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.persistence.attempts import AttemptRepository
from services.authentication.persistence.sessions import SessionRepository
from services.authentication.persistence.tables import (
    AttemptRow,
    RefreshTokenRow,
    SessionRow,
    SigningKeyRow,
)
from services.authentication.signing.key_store import KeyStore
from services.authentication.signing.sealing import CannotUnsealError, Sealing

SESSIONS, TOKENS, ATTEMPTS, KEYS = (
    Query(select(func.count()).select_from(table), int)
    for table in (SessionRow, RefreshTokenRow, AttemptRow, SigningKeyRow)
)


async def test_there_is_a_key_before_anybody_is_answered(
    database: Database, clock: AdjustableClock
) -> None:
    async with housekeeping(database, KeyStore(database, Sealing(None), clock), clock):
        assert await database.fetch_one(KEYS) == 1


async def test_a_key_that_cannot_be_opened_fails_the_start(
    database: Database, clock: AdjustableClock
) -> None:
    await KeyStore(database, Sealing(b"k" * 32), clock).look_after()
    with pytest.raises(CannotUnsealError):
        async with housekeeping(database, KeyStore(database, Sealing(None), clock), clock):
            raise AssertionError("it was started")


async def test_sessions_and_attempts_that_are_over_are_forgotten(
    database: Database, clock: AdjustableClock
) -> None:
    async with database.transaction() as transaction:
        email = read_email_address("ann@example.org")
        await AccountRepository(transaction).add("ann", email, "hash", clock.now)
        await SessionRepository(transaction).begin("old", "ann", "1", clock.now)
        await SessionRepository(transaction).begin("used", "ann", "2", clock.now)
        await AttemptRepository(transaction).begin("log-in", clock.now)
    clock.advance(29 * 86_400)
    async with database.transaction() as transaction:
        await SessionRepository(transaction).rotate("2", "used", "3", clock.now)
        await AttemptRepository(transaction).begin("register", clock.now)
    for days, expected in ((0, (2, 3, 1)), (2.1, (1, 2, 0)), (40, (0, 0, 0))):
        clock.advance(days * 86_400)
        await tidy(database, clock)
        found = [await database.fetch_one(each) for each in (SESSIONS, TOKENS, ATTEMPTS)]
        assert tuple(found) == expected
