from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from seam.contract.errors import InvalidArgumentError
from seam.persistence import Database
from services.customer_chat.domain.chat_id import new_chat_id
from services.customer_chat.persistence.chats import ChatRepository, time_of
from services.customer_chat.persistence.entries import EntryRepository
from services.customer_chat.records.api import ChatState, EntryKind, Participant

FIRST, SECOND, THIRD = (new_chat_id(at * 1_000) for at in (1, 2, 3))


async def open_chats(database: Database) -> ChatRepository:
    chats = ChatRepository(database)
    for at, chat_id in enumerate((SECOND, FIRST, THIRD)):
        await chats.add(chat_id, "ann", at)
    return chats


async def say(database: Database, text: str, message_id: str | None = "m") -> int | None:
    async with database.transaction() as transaction:
        position = await ChatRepository(transaction).advance(FIRST)
        if position is not None:
            await EntryRepository(transaction).add(
                FIRST,
                position,
                EntryKind.MESSAGE,
                participant=Participant.CUSTOMER,
                author="ann",
                at=7,
                message_id=message_id,
                text=text,
            )
    return position


async def test_a_chat_is_found_as_it_was_written(database: Database) -> None:
    chats = await open_chats(database)
    found = await chats.find(SECOND)
    assert found is not None
    assert (found.owner, found.chat.state, found.chat.last_position) == (
        "ann",
        ChatState.WAITING,
        0,
    )
    assert found.chat.opened_at == time_of(0)
    assert await chats.find("none") is None
    assert await chats.find("\0\ud800") is None


async def test_those_that_wait_are_listed_from_the_oldest_on(database: Database) -> None:
    chats = await open_chats(database)
    assert [each.chat_id for each in await chats.waiting("", 9)] == [FIRST, SECOND, THIRD]
    assert [each.chat_id for each in await chats.waiting(FIRST, 1)] == [SECOND]
    await chats.join(SECOND)
    await chats.close(FIRST)
    assert [each.chat_id for each in await chats.waiting("", 9)] == [THIRD]


async def test_a_chat_is_joined_once_and_closed_once(database: Database) -> None:
    chats = await open_chats(database)
    assert [await chats.join(FIRST), await chats.join(FIRST)] == [1, None]
    assert [await chats.close(FIRST), await chats.close(FIRST)] == [2, None]
    assert [await chats.join(FIRST), await chats.advance(FIRST)] == [None, None]
    assert await chats.positions((FIRST, THIRD, "none")) == {FIRST: 2, THIRD: 0}


async def test_positions_have_no_gap_whoever_writes_and_whatever_fails(database: Database) -> None:
    await open_chats(database)

    async def attempt(number: int) -> None:
        try:
            async with database.transaction() as transaction:
                position = await ChatRepository(transaction).advance(FIRST)
                assert position is not None
                await EntryRepository(transaction).add(
                    FIRST,
                    position,
                    EntryKind.MESSAGE,
                    participant=Participant.AGENT,
                    author="bob",
                    at=number,
                    message_id=f"m{number}",
                    text="x",
                )
                if number % 3 == 0:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    await asyncio.gather(*(attempt(number) for number in range(30)))
    found = await EntryRepository(database).after(FIRST, 0, 100)
    assert [each.position for each in found] == list(range(1, 21))


async def test_a_message_is_written_once_for_its_author(database: Database) -> None:
    await open_chats(database)
    assert await say(database, "once") == 1
    with pytest.raises(IntegrityError):
        await say(database, "twice")
    entries = EntryRepository(database)
    assert await say(database, "nameless", None) == 2
    assert await say(database, "nameless too", None) == 3
    said = await entries.said(FIRST, "ann", "m")
    assert said is not None
    assert said.text == "once"
    assert await entries.said(FIRST, "bob", "m") is None
    assert await entries.time_of(FIRST, 1) == 7
    assert await entries.time_of(FIRST, 9) is None


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 4_001])
async def test_a_text_that_cannot_be_kept_is_refused(database: Database, text: str) -> None:
    await open_chats(database)
    with pytest.raises(InvalidArgumentError) as refused:
        await say(database, text)
    assert refused.value.field.path == "text"
    assert await say(database, "next") == 1


@pytest.mark.parametrize("text", ["é" * 4_000, "😀" * 4_000, " \n\t\r", "'; DROP TABLE chat; --"])
async def test_a_text_is_kept_as_it_is(database: Database, text: str) -> None:
    await open_chats(database)
    await say(database, text)
    (entry,) = await EntryRepository(database).after(FIRST, 0, 9)
    assert entry.text == text
