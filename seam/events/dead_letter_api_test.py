"""What the shop's people see of a service's dead letters, and do about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from contract.v1.dead_letters import (
    DeadLetter,
    DeadLetterNotFound,
    DeadLetterNotFoundError,
    DropDeadLetterRequest,
    ListDeadLettersRequest,
    ListDeadLettersResponse,
    ReplayDeadLetterRequest,
)
from contract.v1.money import Money

from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.events.event import microseconds
from seam.events.policy import DEFAULT_POLICY
from seam.events.statements import statements_of
from seam.events.testing.paths import path
from seam.events.testing.shop import LEDGER, SOLD, databases, note, sell
from seam.events.testing.waiting import until_dead, until_noted
from seam.persistence import Database, Transaction, open_database
from seam.testing.dead_letters import add_dead_letter

UNSTORABLE = ["", "unknown", "\0", "\ud800", "x" * 256]


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Database]:
    """The database of a service that subscribes."""
    async with open_database(database_url, LEDGER) as database:
        yield database


async def listed(api: DeadLetterApi, size: int = 0, token: str = "") -> ListDeadLettersResponse:
    return await api.list_dead_letters(ListDeadLettersRequest(page_size=size, page_token=token))


async def test_a_dead_letter_is_shown_with_all_but_what_it_holds(ledger: Database) -> None:
    await add_dead_letter("ledger", ledger, "1", owner="sales", key="A", reason="on fire")
    (letter,) = (await listed(DeadLetterApi("ledger", ledger))).dead_letters
    published = datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)
    assert letter == DeadLetter(
        event_id="1",
        type="sales.v1.Sold",
        source="sales",
        key="A",
        published_at=published,
        received_at=published + timedelta(seconds=1),
        attempts=1,
        reason="on fire",
    )


async def test_a_dead_letter_that_has_left_the_inbox_is_shown_still(ledger: Database) -> None:
    await add_dead_letter("ledger", ledger, "1")
    await ledger.execute(statements_of("ledger").inbox.trim, before=microseconds(), limit=1)
    (letter,) = (await listed(DeadLetterApi("ledger", ledger))).dead_letters
    assert (letter.event_id, letter.received_at) == ("1", None)


@pytest.mark.parametrize(("size", "pages"), [(0, [50, 2]), (26, [26, 26]), (200, [52])])
async def test_pages_show_each_dead_letter_once_those_first_that_came_first(
    ledger: Database, size: int, pages: list[int]
) -> None:
    ids = [str(number) for number in range(52)]
    for each in ids:
        await add_dead_letter("ledger", ledger, each)
    api, token, found = DeadLetterApi("ledger", ledger), "", []
    for expected in pages:
        page = await listed(api, size, token)
        assert len(page.dead_letters) == expected
        found += [letter.event_id for letter in page.dead_letters]
        token = page.next_page_token
    assert (found, token) == (ids, "")


async def test_what_was_dropped_is_gone_and_a_second_time_is_not_found(ledger: Database) -> None:
    for each in "12":
        await add_dead_letter("ledger", ledger, each)
    api = DeadLetterApi("ledger", ledger)
    await api.drop_dead_letter(DropDeadLetterRequest(event_id="1"))
    assert [each.event_id for each in (await listed(api)).dead_letters] == ["2"]
    with pytest.raises(DeadLetterNotFoundError) as refused:
        await api.drop_dead_letter(DropDeadLetterRequest(event_id="1"))
    assert refused.value.record == DeadLetterNotFound(event_id="1")


@pytest.mark.parametrize("event_id", UNSTORABLE)
async def test_what_no_dead_letter_has_is_not_found(ledger: Database, event_id: str) -> None:
    await add_dead_letter("ledger", ledger, "1")
    api = DeadLetterApi("ledger", ledger)
    with pytest.raises(DeadLetterNotFoundError):
        await api.replay_dead_letter(ReplayDeadLetterRequest(event_id=event_id))
    with pytest.raises(DeadLetterNotFoundError):
        await api.drop_dead_letter(DropDeadLetterRequest(event_id=event_id))
    assert len((await listed(api)).dead_letters) == 1


async def test_a_poison_event_is_seen_and_has_its_effect_once_it_is_replayed_after_the_mending(
    database_url: str,
) -> None:
    mended = False

    async def handle(event: Money, transaction: Transaction) -> None:
        if event.minor_units == 1 and not mended:
            raise RuntimeError("the shelf is on fire")
        await note(event, transaction)

    policy = replace(DEFAULT_POLICY, first_delay=0.01, delay_factor=1, attempts=2, poll=0.05)
    async with (
        databases(database_url) as (sales, ledger),
        path(sales, ledger, policy, broker=None, subscription=subscribe(SOLD, handle)),
    ):
        await sell(sales, [("a", n) for n in range(3)])
        await until_dead(ledger, 1)
        api = DeadLetterApi("ledger", ledger)
        (letter,) = (await listed(api)).dead_letters
        assert (letter.attempts, letter.reason) == (2, "RuntimeError: the shelf is on fire")
        assert (letter.source, letter.type, letter.key) == ("sales", SOLD.type, "a")
        mended = True
        await api.replay_dead_letter(ReplayDeadLetterRequest(event_id=letter.event_id))
        assert await until_noted(ledger, 3) == {"a": [0, 2, 1]}
        assert (await listed(api)).dead_letters == ()
        with pytest.raises(DeadLetterNotFoundError):
            await api.replay_dead_letter(ReplayDeadLetterRequest(event_id=letter.event_id))
