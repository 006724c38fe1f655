"""Says something in a chat, once."""

from __future__ import annotations

import time
from functools import partial

from seam.contract import InvalidField
from seam.contract.errors import InvalidArgumentError
from seam.persistence import Database, text_refusal
from services.customer_chat.domain.message import (
    MAXIMUM_ENTRIES,
    MAXIMUM_MESSAGE_ID_LENGTH,
    MAXIMUM_TEXT_LENGTH,
    WINDOW,
    is_too_soon,
)
from services.customer_chat.live.arrivals import Arrivals
from services.customer_chat.persistence.chats import ChatRepository, time_of
from services.customer_chat.persistence.entries import EntryRepository
from services.customer_chat.records.api import (
    ChatClosed,
    ChatClosedError,
    Entry,
    EntryKind,
    Message,
    MessageIdReused,
    MessageIdReusedError,
    Participant,
    TooManyMessages,
    TooManyMessagesError,
)


class _SaidBeforeError(Exception):
    """The message was said before; what was begun for it is to be undone."""


class Speaker:
    """Somebody who takes part in a chat, and can say something in it."""

    def __init__(
        self,
        database: Database,
        arrivals: Arrivals,
        chat_id: str,
        *,
        subject: str,
        participant: Participant,
    ) -> None:
        """Speak in a chat.

        Args:
            database: where the chat is.
            arrivals: wakes those who follow it.
            chat_id: the chat.
            subject: who speaks.
            participant: as what.
        """
        self._database = database
        self._arrivals = arrivals
        self._chat_id = chat_id
        self._subject = subject
        self._participant = participant

    async def say(self, message: Message) -> Entry:
        """Say something; what was said before under the same id is said no second time.

        Raises:
            InvalidArgumentError: the id or the text cannot be stored.
            ChatClosedError: nothing more is said here.
            MessageIdReusedError: something else was said under the id.
            TooManyMessagesError: too much is said here at present.
        """
        _check("message_id", message.message_id, MAXIMUM_MESSAGE_ID_LENGTH)
        _check("text", message.text, MAXIMUM_TEXT_LENGTH)
        try:
            return await self._add(message)
        except _SaidBeforeError:
            return await self._said(message)

    async def _add(self, message: Message) -> Entry:
        now = time.time_ns() // 1000
        async with self._database.transaction() as transaction:
            entries = EntryRepository(transaction)
            position = await ChatRepository(transaction).advance(self._chat_id)
            before = await entries.said(self._chat_id, self._subject, message.message_id)
            if before is not None:
                raise _SaidBeforeError
            if position is None:
                raise ChatClosedError(ChatClosed(chat_id=self._chat_id))
            past = await entries.time_of(self._chat_id, position - MAXIMUM_ENTRIES)
            if is_too_soon(now, past):
                raise TooManyMessagesError(
                    TooManyMessages(maximum=MAXIMUM_ENTRIES, seconds=WINDOW // 1_000_000)
                )
            await entries.add(
                self._chat_id,
                position,
                EntryKind.MESSAGE,
                participant=self._participant,
                author=self._subject,
                at=now,
                message_id=message.message_id,
                text=message.text,
            )
            transaction.after_commit(partial(self._arrivals.wake, self._chat_id, position))
        return Entry(
            position=position,
            kind=EntryKind.MESSAGE,
            participant=self._participant,
            at=time_of(now),
            message_id=message.message_id,
            text=message.text,
        )

    async def _said(self, message: Message) -> Entry:
        entries = EntryRepository(self._database)
        before = await entries.said(self._chat_id, self._subject, message.message_id)
        if before is None or before.text != message.text:
            raise MessageIdReusedError(MessageIdReused(message_id=message.message_id))
        return before


def _check(field: str, text: str, maximum: int) -> None:
    reason = text_refusal(text, maximum, minimum=1)
    if reason is not None:
        raise InvalidArgumentError(InvalidField(field, reason))
