"""All replicas sign with the same keys, whoever has made them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from seam.persistence import Database, open_database
from services.authentication.conftest import AdjustableClock
from services.authentication.domain.clock import SECOND
from services.authentication.domain.lifetimes import ANNOUNCEMENT, KEY
from services.authentication.persistence.signing_keys import SigningKeyRepository
from services.authentication.persistence.tables import Table
from services.authentication.signing.access_token import Bearer
from services.authentication.signing.key_store import KeyStore
from services.authentication.signing.sealing import CannotUnsealError, Sealing

ANN = Bearer("ann", "session", ())


@pytest.fixture
async def other(database_url: str, database: Database) -> AsyncIterator[Database]:
    """The database as another process has it open."""
    del database  # It makes the tables.
    async with open_database(database_url, Table.metadata) as opened:
        yield opened


async def kids(store: KeyStore) -> list[str]:
    return [key.kid for key in (await store.key_set()).keys]


async def header(store: KeyStore) -> str:
    return (await store.access_token(ANN)).partition(".")[0]


async def test_replicas_that_start_at_once_agree_on_the_first_key(
    database: Database, other: Database, clock: AdjustableClock
) -> None:
    stores = [KeyStore((database, other)[n % 2], Sealing(None), clock) for n in range(6)]
    await asyncio.gather(*(store.look_after() for store in stores))
    assert len({tuple(await kids(store)) for store in stores}) == 1
    assert len({await header(store) for store in stores}) == 1


async def test_the_next_key_is_made_once_known_to_all_and_then_signs(
    database: Database, other: Database, clock: AdjustableClock
) -> None:
    stores = [KeyStore((database, other)[n % 2], Sealing(None), clock) for n in range(4)]
    await asyncio.gather(*(store.look_after() for store in stores))
    (old,) = await kids(stores[0])
    old_header = await header(stores[0])
    clock.now += KEY - ANNOUNCEMENT
    await asyncio.gather(*(store.look_after() for store in stores))
    for store in stores:
        assert len(await kids(store)) == 2
        assert await header(store) == old_header
    clock.now += ANNOUNCEMENT
    for store in stores:
        assert len(await kids(store)) == 2
        assert await header(store) != old_header
    clock.advance(86_400)
    await stores[0].look_after()
    assert old not in await kids(stores[0])
    assert len(await SigningKeyRepository(database).all()) == 1


async def test_a_replica_learns_of_a_key_that_another_has_made(
    database: Database, other: Database, clock: AdjustableClock
) -> None:
    first, second = (KeyStore(each, Sealing(None), clock) for each in (database, other))
    await first.look_after()
    await second.look_after()
    await first.rotate(at_once=False)
    clock.advance(31)
    assert len(await kids(second)) == 2


async def test_a_key_that_is_replaced_at_once_is_gone(
    database: Database, other: Database, clock: AdjustableClock
) -> None:
    first, second = (KeyStore(each, Sealing(None), clock) for each in (database, other))
    await first.look_after()
    await second.look_after()
    new = await first.rotate(at_once=True)
    clock.advance(31)
    for store in (first, second):
        assert await kids(store) == [new.public.kid]


async def test_two_who_rotate_at_once_make_keys_of_their_own_or_are_told(
    database: Database, other: Database, clock: AdjustableClock
) -> None:
    stores = [KeyStore(each, Sealing(None), clock) for each in (database, other)]
    await stores[0].look_after()
    made = await asyncio.gather(
        *(store.rotate(at_once=False) for store in stores), return_exceptions=True
    )
    generations = [key.generation for key in await SigningKeyRepository(database).all()]
    failed = sum(isinstance(each, RuntimeError) for each in made)
    assert generations == list(range(1, 4 - failed))


async def test_a_clock_that_is_set_back_changes_nothing(
    database: Database, clock: AdjustableClock
) -> None:
    store = KeyStore(database, Sealing(None), clock)
    await store.look_after()
    before = await kids(store)
    clock.advance(-400 * 86_400)
    await store.look_after()
    assert await kids(store) == before
    assert await header(store)


async def test_sealed_keys_are_read_by_who_has_the_key_alone(
    database: Database, clock: AdjustableClock
) -> None:
    store = KeyStore(database, Sealing(b"k" * 32), clock)
    await store.look_after()
    again = KeyStore(database, Sealing(b"k" * 32), clock)
    assert await kids(again) == await kids(store)
    for sealing in (Sealing(None), Sealing(b"j" * 32)):
        with pytest.raises(CannotUnsealError):
            await KeyStore(database, sealing, clock).look_after()


async def test_a_process_that_cannot_open_a_new_key_goes_on_with_those_that_it_knows(
    database: Database, clock: AdjustableClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = KeyStore(database, Sealing(None), clock)
    await store.look_after()
    before = await kids(store)
    await KeyStore(database, Sealing(b"k" * 32), clock).rotate(at_once=False)
    clock.advance(31)
    assert await header(store)
    assert await kids(store) == before
    assert "going on with those that are known" in caplog.text


async def test_keys_are_not_read_for_each_token(
    database: Database, clock: AdjustableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KeyStore(database, Sealing(None), clock)
    await store.look_after()
    reads = 0
    all_keys = SigningKeyRepository.all

    async def counted(repository: SigningKeyRepository) -> object:
        nonlocal reads
        reads += 1
        return await all_keys(repository)

    monkeypatch.setattr(SigningKeyRepository, "all", counted)
    for _ in range(10):
        await store.access_token(ANN)
        clock.now += SECOND
    assert reads == 0
    clock.now += 30 * SECOND
    await store.access_token(ANN)
    assert reads == 1
