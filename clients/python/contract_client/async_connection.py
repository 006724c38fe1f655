"""Calls methods over HTTP under asyncio."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any, Self, TypeVar

import httpx

from contract_client.address import server_address
from contract_client.answers import (
    Answer,
    as_api_errors,
    headers_of,
    pause_of_stream,
    record_of_event,
    stream_timeout,
)
from contract_client.async_conversation import AsyncConversation, begin
from contract_client.errors import ApiError, Code
from contract_client.events import Event, EventReader
from contract_client.methods import Method, Request, request_of
from contract_client.records import Record
from contract_client.retries import Attempts, Retries
from contract_client.tokens import MemoryTokenStore, Refresh, Session, TokenAnswer, TokenStore

__all__ = ["AsyncConnection"]

R = TypeVar("R", bound=Record)


class AsyncConnection:
    """Where the methods of all services are called. Tasks of one event loop may share it.

    Args:
        base_url: where the server is, such as `https://shop.example`.
        refresh: how new tokens are asked for; None when the server gives none.
        tokens: where the session is kept.
        retries: how often a call is tried.
        transport: what httpx sends by, if not by a network.

    Raises:
        ValueError: the address is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        refresh: Refresh | None = None,
        tokens: TokenStore | None = None,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=server_address(base_url), transport=transport)
        self._refresh = refresh
        self._tokens = tokens if tokens is not None else MemoryTokenStore()
        self._retries = retries or Retries()
        self._refreshing = asyncio.Lock()
        self._renewal: asyncio.Future[Session | None] | None = None

    def sign_in(self, tokens: TokenAnswer) -> None:
        """Send an access token with each further call, and renew it when it is due.

        Args:
            tokens: what the server has answered with to who has logged in.
        """
        self._tokens.save(Session.begun(tokens))

    def sign_out(self) -> None:
        """Forget the tokens. The session itself is ended by a call of its own."""
        self._tokens.save(None)

    @property
    def session(self) -> Session | None:
        """The tokens; None when nobody is signed in."""
        return self._tokens.load()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def call(
        self,
        method: Method[R],
        record: Record,
        timeout: float | None = None,  # noqa: ASYNC109 (httpx is told it, too)
        idempotency_key: str | None = None,
    ) -> R:
        """Call a method that answers once.

        Args:
            method: the method.
            record: its request.
            timeout: seconds for all attempts; None for what the contract says.
            idempotency_key: names what is to be done; None makes one, where the method has it.

        Raises:
            ApiError: the call has failed.
            ValueError: the request cannot be sent.
        """
        key = uuid.uuid4().hex if method.has_key else None
        if idempotency_key is not None:
            key = idempotency_key
        request = request_of(method, record, key)
        attempts = Attempts(method, self._retries, method.timeout if timeout is None else timeout)
        while True:
            try:
                return await self._attempt(method, request, attempts)
            except ApiError as failure:
                pause = attempts.pause(failure)
            await asyncio.sleep(pause)

    async def stream(self, method: Method[R], record: Record) -> AsyncIterator[R]:
        """Call a method that answers with a stream.

        Where the contract allows, one that broke off goes on after the last record that has come.

        Args:
            method: the method.
            record: its request.

        Raises:
            ApiError: the stream has failed.
        """
        request = request_of(method, record)
        reader = EventReader()
        lost = 0
        while True:
            failure = None
            try:
                async for event in self._events(method, request, reader):
                    lost = 0
                    if event.name == "end":
                        return
                    yield record_of_event(method, event)
            except ApiError as error:
                failure = error
            pause = pause_of_stream(method, reader, failure, lost, self._retries)
            lost += 1
            await asyncio.sleep(pause)
            reader = EventReader(reader.last_id, reader.retry)

    async def talk(self, method: Method[R], record: Record) -> AsyncConversation[Any, R]:
        """Begin a conversation over a WebSocket.

        Args:
            method: the method.
            record: its first request.

        Raises:
            ApiError: it is refused, or the server is away.
            ModuleNotFoundError: the library websockets is not installed.
            ValueError: the request cannot be sent.
        """
        session = await self._fresh() if method.takes_token else None
        begun = await begin(method, record, self._http.base_url, session)
        if isinstance(begun, Answer) and begun.refuses_token and session and self._refresh:
            session = await self._renewed(session, self._refresh)
            begun = await begin(method, record, self._http.base_url, session)
        if isinstance(begun, Answer):
            begun.record(method)
            raise ApiError(Code.INTERNAL, f"{method.name} answered with no WebSocket")
        return begun

    async def _attempt(self, method: Method[R], request: Request, attempts: Attempts) -> R:
        session = await self._fresh() if method.takes_token else None
        answer = await self._send(request, session, attempts)
        if session is not None and self._refresh is not None and answer.refuses_token:
            session = await self._renewed(session, self._refresh)
            answer = await self._send(request, session, attempts)
        return answer.record(method)

    async def _send(self, request: Request, session: Session | None, attempts: Attempts) -> Answer:
        left = attempts.seconds_left
        try:
            with as_api_errors():
                async with asyncio.timeout(left):
                    response = await self._http.request(
                        request.verb,
                        request.target,
                        headers=headers_of(request, session),
                        content=request.content,
                        timeout=left,
                    )
        except TimeoutError as error:
            raise ApiError(Code.DEADLINE_EXCEEDED, "the server has not answered in time") from error
        return Answer(response.status_code, response.headers, response.content)

    async def _events(
        self, method: Method[Any], request: Request, reader: EventReader
    ) -> AsyncIterator[Event]:
        session = await self._fresh() if method.takes_token else None
        answer = None
        while answer is None:
            headers = headers_of(request, session, reader.last_id)
            with as_api_errors():
                async with self._http.stream(
                    request.verb, request.target, headers=headers, timeout=stream_timeout()
                ) as response:
                    if response.is_success:
                        async for chunk in response.aiter_bytes():
                            for event in reader.feed(chunk):
                                yield event
                        return
                    answer = Answer(response.status_code, response.headers, await response.aread())
            if session is not None and self._refresh is not None and answer.refuses_token:
                session, answer = await self._renewed(session, self._refresh), None
        answer.record(method)

    async def _fresh(self) -> Session | None:
        """The session, with an access token that is good for a while."""
        session = self._tokens.load()
        if session is not None and session.is_stale and self._refresh is not None:
            return await self._renewed(session, self._refresh)
        return session

    async def _renewed(self, used: Session, refresh: Refresh) -> Session | None:
        """The session with other tokens than those that were used.

        A caller who gives up must not lose the tokens that are on their way.
        """
        self._renewal = asyncio.ensure_future(self._renew(used, refresh))
        return await asyncio.shield(self._renewal)

    async def _renew(self, used: Session, refresh: Refresh) -> Session | None:
        """The session with other tokens than those that were used.

        A refresh token is good once, so one refresh is under way at a time, and is never repeated.
        """
        async with self._refreshing:
            session = self._tokens.load()
            if session is None or session.access_token != used.access_token:
                return session
            request = request_of(refresh.method, refresh.request(session.refresh_token))
            attempts = Attempts(refresh.method, self._retries, refresh.method.timeout)
            try:
                answer = await self._send(request, None, attempts)
                tokens: Any = answer.record(refresh.method)
            except ApiError as error:
                # The server may have taken the refresh token without our hearing of it.
                error.is_final = not error.unsent
                if error.code is Code.UNAUTHENTICATED:
                    self._tokens.save(None)
                raise
            session = Session.begun(tokens)
            self._tokens.save(session)
            return session
