"""Answers customers and agents."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Final, NamedTuple

from seam.call import current_principal
from seam.contract import InvalidField
from seam.contract.errors import InvalidArgumentError
from seam.persistence import Database
from services.customer_chat.api.saying import Speaker
from services.customer_chat.api.talking import Talk
from services.customer_chat.domain.chat_id import new_chat_id
from services.customer_chat.domain.seat import seat_of
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.live.news import follow
from services.customer_chat.persistence.chats import ChatRepository
from services.customer_chat.persistence.entries import EntryRepository
from services.customer_chat.records.api import (
    Chat,
    ChatClosed,
    ChatClosedError,
    ChatNotFound,
    ChatNotFoundError,
    ChatState,
    CloseChatRequest,
    Entry,
    EntryKind,
    GetChatRequest,
    JoinChatRequest,
    ListEntriesRequest,
    ListEntriesResponse,
    ListWaitingChatsRequest,
    ListWaitingChatsResponse,
    Message,
    OpenChatRequest,
    PageSizeOutOfRange,
    PageSizeOutOfRangeError,
    Participant,
    SendMessageRequest,
    StreamChatRequest,
    TalkInChatRequest,
    TalkInChatResponse,
)

DEFAULT_PAGE_SIZE: Final = 50
MAXIMUM_PAGE_SIZE: Final = 200


class _Seat(NamedTuple):
    """A chat, and as what the one who asks takes part in it."""

    chat: Chat
    subject: str
    participant: Participant


class CustomerChatApi:
    """Handler of `customer_chat.v1.CustomerChatApi`."""

    def __init__(self, database: Database, arrivals: Arrivals) -> None:
        """Keep chats in `database`, and let `arrivals` wake those who follow them."""
        self._database = database
        self._arrivals = arrivals
        self._chats = ChatRepository(database)
        self._entries = EntryRepository(database)

    async def open_chat(self, _: OpenChatRequest) -> Chat:
        """A new chat, which waits for an agent."""
        now = time.time_ns() // 1000
        return await self._chats.add(new_chat_id(now), current_principal().subject, now)

    async def get_chat(self, request: GetChatRequest) -> Chat:
        """A chat as it is now."""
        return (await self._seat(request.chat_id)).chat

    async def list_waiting_chats(
        self, request: ListWaitingChatsRequest
    ) -> ListWaitingChatsResponse:
        """One page of the chats that wait."""
        size = _page_size(request.page_size)
        # One more than asked for tells whether there is a next page.
        found = await self._chats.waiting(request.page_token, size + 1)
        token = found[size - 1].chat_id if len(found) > size else ""
        return ListWaitingChatsResponse(chats=found[:size], next_page_token=token)

    async def join_chat(self, request: JoinChatRequest) -> Chat:
        """The chat, which waits no longer."""
        seat = await self._seat(request.chat_id)
        if seat.chat.state is ChatState.WAITING:
            await self._move(seat, EntryKind.JOINED)
            seat = await self._seat(request.chat_id)
        if seat.chat.state is ChatState.CLOSED:
            raise ChatClosedError(ChatClosed(chat_id=request.chat_id))
        return seat.chat

    async def close_chat(self, request: CloseChatRequest) -> Chat:
        """The chat, in which nothing more is said."""
        seat = await self._seat(request.chat_id)
        if seat.chat.state is ChatState.CLOSED:
            return seat.chat
        await self._move(seat, EntryKind.CLOSED)
        return (await self._seat(request.chat_id)).chat

    async def send_message(self, request: SendMessageRequest) -> Entry:
        """What was said, now or before."""
        speaker = self._speaker(await self._seat(request.chat_id))
        return await speaker.say(Message(message_id=request.message_id, text=request.text))

    async def list_entries(self, request: ListEntriesRequest) -> ListEntriesResponse:
        """One page of what has happened."""
        size = _page_size(request.page_size)
        seat = await self._seat(request.chat_id)
        _check_after(request.after, seat.chat)
        found = await self._entries.after(request.chat_id, request.after, size + 1)
        return ListEntriesResponse(entries=found[:size], more=len(found) > size)

    async def stream_chat(self, request: StreamChatRequest) -> AsyncIterator[Entry]:
        """What has happened, and what happens until the chat is closed."""
        seat = await self._seat(request.chat_id)
        _check_after(request.after, seat.chat)
        async for entry in follow(self._database, self._arrivals, request.chat_id, request.after):
            yield entry

    async def talk_in_chat(
        self, requests: AsyncIterator[TalkInChatRequest]
    ) -> AsyncIterator[TalkInChatResponse]:
        """What happens, while more is said."""
        opening = await anext(requests, None)
        if opening is None:
            return
        if opening.message is not None:
            reason = "expected none in the first request"
            raise InvalidArgumentError(InvalidField("message", reason))
        seat = await self._seat(opening.chat_id)
        _check_after(opening.after, seat.chat)
        talk = Talk(self._database, self._arrivals, self._speaker(seat), opening)
        async for response in talk.responses(requests):
            yield response

    async def _seat(self, chat_id: str) -> _Seat:
        found = await self._chats.find(chat_id)
        principal = current_principal()
        participant = None if found is None else seat_of(principal, found.owner)
        if found is None or participant is None:
            raise ChatNotFoundError(ChatNotFound(chat_id=chat_id))
        return _Seat(found.chat, principal.subject, participant)

    def _speaker(self, seat: _Seat) -> Speaker:
        return Speaker(
            self._database,
            self._arrivals,
            seat.chat.chat_id,
            subject=seat.subject,
            participant=seat.participant,
        )

    async def _move(self, seat: _Seat, kind: EntryKind) -> None:
        """Let a chat be joined or closed, unless somebody else was faster."""
        chat_id = seat.chat.chat_id
        async with self._database.transaction() as transaction:
            chats = ChatRepository(transaction)
            move = chats.join if kind is EntryKind.JOINED else chats.close
            position = await move(chat_id)
            if position is None:
                return
            await EntryRepository(transaction).add(
                chat_id,
                position,
                kind,
                participant=seat.participant,
                author=seat.subject,
                at=time.time_ns() // 1000,
            )
            transaction.after_commit(partial(self._arrivals.wake, chat_id, position))


def _page_size(asked: int) -> int:
    if not 0 <= asked <= MAXIMUM_PAGE_SIZE:
        raise PageSizeOutOfRangeError(
            PageSizeOutOfRange(page_size=asked, maximum=MAXIMUM_PAGE_SIZE)
        )
    return asked or DEFAULT_PAGE_SIZE


def _check_after(after: int, chat: Chat) -> None:
    if not 0 <= after <= chat.last_position:
        reason = f"expected 0 to {chat.last_position}, the position of the last entry"
        raise InvalidArgumentError(InvalidField("after", reason))
