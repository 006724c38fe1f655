"""A talk: somebody follows a chat, and says something in it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from seam.contract import InvalidField
from seam.contract.errors import InvalidArgumentError
from seam.persistence import Database
from services.customer_chat.api.saying import Speaker
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.live.news import news
from services.customer_chat.records.api import (
    ChatClosedError,
    MessageIdReusedError,
    Refusal,
    TalkInChatRequest,
    TalkInChatResponse,
    TalkInChatResponseWhatEntry,
    TalkInChatResponseWhatRefusal,
    TooManyMessagesError,
)

REFUSALS: Final = 16
"""Refusals that wait for a client before its next message is read."""

_REFUSED: Final = (
    ChatClosedError,
    InvalidArgumentError,
    MessageIdReusedError,
    TooManyMessagesError,
)
"""What is wrong with a message, and not with the talk."""


class Talk:
    """One talk of one participant."""

    def __init__(
        self, database: Database, arrivals: Arrivals, speaker: Speaker, opening: TalkInChatRequest
    ) -> None:
        """Prepare a talk.

        Args:
            database: where the chat is.
            arrivals: wakes those who follow it.
            speaker: says what is said.
            opening: the first request.
        """
        self._database = database
        self._arrivals = arrivals
        self._speaker = speaker
        self._opening = opening
        self._refusals: asyncio.Queue[Refusal] = asyncio.Queue(REFUSALS)

    async def responses(
        self, requests: AsyncIterator[TalkInChatRequest]
    ) -> AsyncIterator[TalkInChatResponse]:
        """Tell what happens, until the chat is closed or the requests end."""
        chat_id, after = self._opening.chat_id, self._opening.after
        with self._arrivals.following(chat_id) as arrived:
            listening = asyncio.create_task(self._listen(requests, arrived))
            try:
                while True:
                    # What happens while this is read is read next.
                    arrived.clear()
                    has_ended = listening.done()
                    found = await news(self._database, chat_id, after)
                    while not self._refusals.empty():
                        refusal = self._refusals.get_nowait()
                        yield TalkInChatResponse(what=TalkInChatResponseWhatRefusal(refusal))
                    for entry in found.entries:
                        yield TalkInChatResponse(what=TalkInChatResponseWhatEntry(entry))
                        after = entry.position
                    if found.is_over:
                        return
                    if found.entries:
                        continue
                    if has_ended:
                        # It raises what went wrong.
                        listening.result()
                        return
                    await arrived.wait()
            finally:
                listening.cancel()
                await asyncio.wait([listening])

    async def _listen(
        self, requests: AsyncIterator[TalkInChatRequest], arrived: asyncio.Event
    ) -> None:
        """Say what comes."""
        try:
            async for request in requests:
                await self._hear(request, arrived)
        finally:
            arrived.set()

    async def _hear(self, request: TalkInChatRequest, arrived: asyncio.Event) -> None:
        if request.chat_id != self._opening.chat_id:
            raise InvalidArgumentError(
                InvalidField("chat_id", "expected the chat of the first request")
            )
        message = request.message
        if message is None:
            raise InvalidArgumentError(InvalidField("message", "required, but absent"))
        try:
            await self._speaker.say(message)
        except _REFUSED as error:
            refusal = Refusal(message_id=message.message_id, reason=error.message)
            await self._refusals.put(refusal)
            arrived.set()
