"""Chats over a real database: who sees them, what is said, and what those learn who follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from seam.call import ANONYMOUS, call_scope
from seam.contract.errors import InvalidArgumentError, StatusError
from services.customer_chat.domain.message import MAXIMUM_ENTRIES
from services.customer_chat.records.api import (
    ChatClosedError,
    ChatNotFoundError,
    ChatState,
    CloseChatRequest,
    Entry,
    EntryKind,
    GetChatRequest,
    JoinChatRequest,
    ListEntriesRequest,
    ListWaitingChatsRequest,
    Message,
    MessageIdReusedError,
    OpenChatRequest,
    PageSizeOutOfRangeError,
    Participant,
    SendMessageRequest,
    StreamChatRequest,
    TalkInChatRequest,
    TalkInChatResponse,
    TalkInChatResponseWhatEntry,
    TalkInChatResponseWhatRefusal,
    TooManyMessagesError,
)
from services.customer_chat.records.api_bus import CustomerChatApiStub

Acting = Callable[..., AbstractContextManager[None]]


def saying(chat_id: str, text: str, message_id: str = "") -> SendMessageRequest:
    return SendMessageRequest(chat_id=chat_id, message_id=message_id or text[:64], text=text)


def talking(chat_id: str, text: str = "", *, after: int = 0) -> TalkInChatRequest:
    message = Message(message_id=text[:64], text=text) if text else None
    return TalkInChatRequest(chat_id=chat_id, after=after, message=message)


@pytest.fixture
async def chat_id(api: CustomerChatApiStub, acting: Acting) -> str:
    """A chat of Ann."""
    with acting("ann"):
        return (await api.open_chat(OpenChatRequest())).chat_id


async def entries(api: CustomerChatApiStub, chat_id: str, after: int = 0) -> list[Entry]:
    page = await api.list_entries(ListEntriesRequest(chat_id=chat_id, after=after, page_size=200))
    return list(page.entries)


async def test_a_customer_and_an_agent_talk_until_one_of_them_closes(
    api: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    with acting("bob", "agent"):
        (waiting,) = (await api.list_waiting_chats(_waiting())).chats
        assert (waiting.chat_id, waiting.state) == (chat_id, ChatState.WAITING)
        for _ in range(2):
            joined = await api.join_chat(JoinChatRequest(chat_id=chat_id))
            assert (joined.state, joined.last_position) == (ChatState.JOINED, 1)
        await api.send_message(saying(chat_id, "How can I help?"))
        assert (await api.list_waiting_chats(_waiting())).chats == ()
    with acting("ann"):
        await api.send_message(saying(chat_id, "Where is my order?"))
        for _ in range(2):
            closed = await api.close_chat(CloseChatRequest(chat_id=chat_id))
            assert (closed.state, closed.last_position) == (ChatState.CLOSED, 4)
        found = await entries(api, chat_id)
        with pytest.raises(ChatClosedError):
            await api.send_message(saying(chat_id, "Too late"))
    assert [(each.position, each.kind, each.participant, each.text) for each in found] == [
        (1, EntryKind.JOINED, Participant.AGENT, ""),
        (2, EntryKind.MESSAGE, Participant.AGENT, "How can I help?"),
        (3, EntryKind.MESSAGE, Participant.CUSTOMER, "Where is my order?"),
        (4, EntryKind.CLOSED, Participant.CUSTOMER, ""),
    ]
    with acting("bob", "agent"), pytest.raises(ChatClosedError):
        await api.join_chat(JoinChatRequest(chat_id=chat_id))


def _waiting(size: int = 0, token: str = "") -> ListWaitingChatsRequest:
    return ListWaitingChatsRequest(page_size=size, page_token=token)


async def test_to_others_a_chat_is_unknown(
    api: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    for scope in (acting("eve"), acting("eve", "admin"), call_scope(principal=ANONYMOUS)):
        with scope:
            calls: list[Any] = [
                api.get_chat(GetChatRequest(chat_id=chat_id)),
                api.join_chat(JoinChatRequest(chat_id=chat_id)),
                api.close_chat(CloseChatRequest(chat_id=chat_id)),
                api.send_message(saying(chat_id, "hello")),
                entries(api, chat_id),
                anext(api.stream_chat(StreamChatRequest(chat_id=chat_id, after=0))),
                anext(api.talk_in_chat(_requests(talking(chat_id)))),
            ]
            for call in calls:
                with pytest.raises(ChatNotFoundError):
                    await call
    with acting("ann"):
        assert await entries(api, chat_id) == []


async def _requests(*requests: TalkInChatRequest) -> AsyncIterator[TalkInChatRequest]:
    for request in requests:
        yield request


async def test_a_message_is_said_once_however_often_it_is_sent(
    api: CustomerChatApiStub, replica: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    request = saying(chat_id, "hello", "1")
    with acting("ann"):
        said = await asyncio.gather(
            *(each.send_message(request) for each in (api, replica) for _ in range(5))
        )
        assert {each.position for each in said} == {1}
        with pytest.raises(MessageIdReusedError):
            await api.send_message(saying(chat_id, "other", "1"))
    with acting("bob", "agent"):
        await api.send_message(saying(chat_id, "mine", "1"))
    with acting("ann"):
        await api.close_chat(CloseChatRequest(chat_id=chat_id))
        # Who did not hear the answer asks again, also when it is too late for anything new.
        assert (await api.send_message(request)).position == 1
        assert [each.text for each in await entries(api, chat_id)] == ["hello", "mine", ""]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Message(message_id="1", text=""), "text"),
        (Message(message_id="1", text="x" * 4_001), "text"),
        (Message(message_id="1", text="a\0b"), "text"),
        (Message(message_id="", text="hello"), "message_id"),
        (Message(message_id="x" * 65, text="hello"), "message_id"),
        (Message(message_id="\0", text="hello"), "message_id"),
    ],
)
async def test_what_cannot_be_said_is_refused(
    api: CustomerChatApiStub, acting: Acting, chat_id: str, message: Message, field: str
) -> None:
    request = SendMessageRequest(chat_id=chat_id, message_id=message.message_id, text=message.text)
    with acting("ann"):
        with pytest.raises(InvalidArgumentError) as refused:
            await api.send_message(request)
        assert refused.value.field.path == field
        assert await entries(api, chat_id) == []


async def test_so_much_is_said_at_a_time_and_no_more(
    api: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    with acting("ann"):
        for number in range(MAXIMUM_ENTRIES):
            await api.send_message(saying(chat_id, str(number)))
        with pytest.raises(TooManyMessagesError):
            await api.send_message(saying(chat_id, "flood"))
        assert len(await entries(api, chat_id)) == MAXIMUM_ENTRIES
        # To close it is no message.
        await api.close_chat(CloseChatRequest(chat_id=chat_id))


async def test_history_comes_in_pages(
    api: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    with acting("ann"):
        for number in range(7):
            await api.send_message(saying(chat_id, str(number)))
        after, seen = 0, []
        while True:
            page = await api.list_entries(
                ListEntriesRequest(chat_id=chat_id, after=after, page_size=3)
            )
            seen += [each.text for each in page.entries]
            after = page.entries[-1].position
            if not page.more:
                break
        assert seen == [str(number) for number in range(7)]
        for size in (-1, 201):
            with pytest.raises(PageSizeOutOfRangeError):
                await api.list_entries(ListEntriesRequest(chat_id=chat_id, after=0, page_size=size))
        for wrong in (-1, 8, 2**63 - 1):
            with pytest.raises(InvalidArgumentError):
                await entries(api, chat_id, wrong)


async def test_waiting_chats_come_in_pages(api: CustomerChatApiStub, acting: Acting) -> None:
    with acting("ann"):
        opened = [(await api.open_chat(OpenChatRequest())).chat_id for _ in range(5)]
    with acting("bob", "agent"):
        seen: list[str] = []
        token = ""
        while True:
            page = await api.list_waiting_chats(_waiting(2, token))
            seen += [each.chat_id for each in page.chats]
            token = page.next_page_token
            if not token:
                break
        assert sorted(seen) == seen
        assert set(seen) == set(opened)


async def collect(stream: AsyncIterator[Entry], count: int) -> list[int]:
    found = []
    async with asyncio.timeout(10):
        async for entry in stream:
            found.append(entry.position)
            if len(found) == count:
                break
    return found


@pytest.mark.parametrize("where", ["same process", "another process"])
async def test_who_follows_learns_what_happens_and_the_end(
    api: CustomerChatApiStub,
    replica: CustomerChatApiStub,
    acting: Acting,
    chat_id: str,
    where: str,
) -> None:
    follower = api if where == "same process" else replica
    with acting("bob", "agent"):
        stream = follower.stream_chat(StreamChatRequest(chat_id=chat_id, after=0))
        following = asyncio.create_task(collect(stream, 100))
    with acting("ann"):
        for number in range(5):
            await api.send_message(saying(chat_id, str(number)))
            await asyncio.sleep(0)
        await api.close_chat(CloseChatRequest(chat_id=chat_id))
    assert await following == [1, 2, 3, 4, 5, 6]


async def test_who_comes_back_misses_nothing_and_gets_nothing_twice(
    api: CustomerChatApiStub, replica: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    async def speak() -> None:
        for number in range(25):
            await api.send_message(saying(chat_id, str(number)))
            await asyncio.sleep(0.005)
        await api.close_chat(CloseChatRequest(chat_id=chat_id))

    seen: list[int] = []
    with acting("ann"):
        speaking = asyncio.create_task(speak())
        while len(seen) < 26:
            # Leaves in the middle, now and then, and goes on elsewhere.
            process = (api, replica)[len(seen) % 2]
            after = seen[-1] if seen else 0
            stream = process.stream_chat(StreamChatRequest(chat_id=chat_id, after=after))
            seen += await collect(stream, 3)
            await stream.aclose()
        await speaking
        assert seen == list(range(1, 27))
        over = api.stream_chat(StreamChatRequest(chat_id=chat_id, after=26))
        assert await collect(over, 1) == []


class Mouth:
    """Requests of a talk, one after the other."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[TalkInChatRequest | None] = asyncio.Queue()

    async def requests(self) -> AsyncIterator[TalkInChatRequest]:
        while (request := await self.queue.get()) is not None:
            yield request


def what(response: TalkInChatResponse) -> tuple[str, str]:
    match response.what:
        case TalkInChatResponseWhatEntry(entry):
            return entry.kind.name, entry.text
        case TalkInChatResponseWhatRefusal(refusal):
            return "refused", refusal.message_id
    raise AssertionError("it says nothing")


async def test_both_talk_over_streams(
    api: CustomerChatApiStub, replica: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    ann, bob = Mouth(), Mouth()
    with acting("ann"):
        to_ann = api.talk_in_chat(ann.requests())
    with acting("bob", "agent"):
        to_bob = replica.talk_in_chat(bob.requests())
    for mouth in (ann, bob):
        mouth.queue.put_nowait(talking(chat_id))
    async with asyncio.timeout(10):
        ann.queue.put_nowait(talking(chat_id, "hello"))
        assert [what(await anext(each)) for each in (to_ann, to_bob)] == [("MESSAGE", "hello")] * 2
        bob.queue.put_nowait(talking(chat_id, "good morning"))
        assert what(await anext(to_bob)) == ("MESSAGE", "good morning")
        bob.queue.put_nowait(talking(chat_id, "x" * 4_001))
        assert what(await anext(to_bob)) == ("refused", "x" * 64)
        bob.queue.put_nowait(None)
        assert [what(each) async for each in to_bob] == []
    await to_ann.aclose()


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([talking("MINE"), talking("other", "hello")], "chat_id"),
        ([talking("MINE"), talking("MINE")], "message"),
        ([talking("MINE", "hello")], "message"),
        ([talking("MINE", after=1)], "after"),
    ],
)
async def test_a_talk_against_its_rules_ends(
    api: CustomerChatApiStub,
    acting: Acting,
    chat_id: str,
    requests: list[TalkInChatRequest],
    field: str,
) -> None:
    sent = [
        TalkInChatRequest(
            chat_id=each.chat_id.replace("MINE", chat_id), after=each.after, message=each.message
        )
        for each in requests
    ]
    with acting("ann"):
        with pytest.raises(InvalidArgumentError) as refused:
            await anext(api.talk_in_chat(_requests(*sent)))
        assert refused.value.field.path == field
        assert await entries(api, chat_id) == []


async def test_what_was_said_before_the_end_of_a_talk_is_told(
    api: CustomerChatApiStub, acting: Acting, chat_id: str
) -> None:
    said = [str(number) for number in range(20)]
    requests = [talking(chat_id), *(talking(chat_id, each) for each in said)]
    with acting("ann"):
        found = [what(each) async for each in api.talk_in_chat(_requests(*requests))]
    assert found == [("MESSAGE", each) for each in said]


async def test_a_talk_of_nothing_is_nothing(api: CustomerChatApiStub, acting: Acting) -> None:
    with acting("ann"):
        assert [each async for each in api.talk_in_chat(_requests())] == []


async def test_a_chat_that_cannot_be_reached_ends_those_who_follow_it(
    api: CustomerChatApiStub, acting: Acting, chat_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acting("ann"):
        stream = api.stream_chat(StreamChatRequest(chat_id=chat_id, after=0), timeout=0.2)
        with pytest.raises(StatusError) as late:
            await anext(stream)
        assert late.value.code.name == "DEADLINE_EXCEEDED"
