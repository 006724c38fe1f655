"""Calls methods over HTTP, and waits for them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
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
from contract_client.conversation import Conversation, begin
from contract_client.errors import ApiError, Code
from contract_client.events import Event, EventReader
from contract_client.methods import Method, Request, request_of
from contract_client.records import Record
from contract_client.retries import Attempts, Retries
from contract_client.tokens import MemoryTokenStore, Refresh, Session, TokenAnswer, TokenStore

__all__ = ["Connection"]

R = TypeVar("R", bound=Record)


class Connection:
    """Where the methods of all services are called. Threads may share it.

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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(base_url=server_address(base_url), transport=transport)
        self._refresh = refresh
        self._tokens = tokens if tokens is not None else MemoryTokenStore()
        self._retries = retries or Retries()
        self._refreshing = threading.Lock()

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(
        self,
        method: Method[R],
        record: Record,
        timeout: float | None = None,
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
                return self._attempt(method, request, attempts)
            except ApiError as failure:
                pause = attempts.pause(failure)
            time.sleep(pause)

    def stream(self, method: Method[R], record: Record) -> Iterator[R]:
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
                for event in self._events(method, request, reader):
                    lost = 0
                    if event.name == "end":
                        return
                    yield record_of_event(method, event)
            except ApiError as error:
                failure = error
            pause = pause_of_stream(method, reader, failure, lost, self._retries)
            lost += 1
            time.sleep(pause)
            reader = EventReader(reader.last_id, reader.retry)

    def talk(self, method: Method[R], record: Record) -> Conversation[Any, R]:
        """Begin a conversation over a WebSocket.

        Args:
            method: the method.
            record: its first request.

        Raises:
            ApiError: it is refused, or the server is away.
            ModuleNotFoundError: the library websockets is not installed.
            ValueError: the request cannot be sent.
        """
        session = self._fresh() if method.takes_token else None
        begun = begin(method, record, self._http.base_url, session)
        if isinstance(begun, Answer) and begun.refuses_token and session and self._refresh:
            session = self._renewed(session, self._refresh)
            begun = begin(method, record, self._http.base_url, session)
        if isinstance(begun, Answer):
            begun.record(method)
            raise ApiError(Code.INTERNAL, f"{method.name} answered with no WebSocket")
        return begun

    def _attempt(self, method: Method[R], request: Request, attempts: Attempts) -> R:
        session = self._fresh() if method.takes_token else None
        answer = self._send(request, session, attempts)
        if session is not None and self._refresh is not None and answer.refuses_token:
            session = self._renewed(session, self._refresh)
            answer = self._send(request, session, attempts)
        return answer.record(method)

    def _send(self, request: Request, session: Session | None, attempts: Attempts) -> Answer:
        left = attempts.seconds_left
        with (
            as_api_errors(),
            self._http.stream(
                request.verb,
                request.target,
                headers=headers_of(request, session),
                content=request.content,
                timeout=left,
            ) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                # httpx bounds the wait for each part, and many parts may trickle in.
                left = attempts.seconds_left
            return Answer(response.status_code, response.headers, bytes(body))

    def _events(
        self, method: Method[Any], request: Request, reader: EventReader
    ) -> Iterator[Event]:
        session = self._fresh() if method.takes_token else None
        answer = None
        while answer is None:
            headers = headers_of(request, session, reader.last_id)
            with (
                as_api_errors(),
                self._http.stream(
                    request.verb, request.target, headers=headers, timeout=stream_timeout()
                ) as response,
            ):
                if response.is_success:
                    for chunk in response.iter_bytes():
                        yield from reader.feed(chunk)
                    return
                answer = Answer(response.status_code, response.headers, response.read())
            if session is not None and self._refresh is not None and answer.refuses_token:
                session, answer = self._renewed(session, self._refresh), None
        answer.record(method)

    def _fresh(self) -> Session | None:
        """The session, with an access token that is good for a while."""
        session = self._tokens.load()
        if session is not None and session.is_stale and self._refresh is not None:
            return self._renewed(session, self._refresh)
        return session

    def _renewed(self, used: Session, refresh: Refresh) -> Session | None:
        """The session with other tokens than those that were used.

        A refresh token is good once, so one refresh is under way at a time, and is never repeated.
        """
        with self._refreshing:
            session = self._tokens.load()
            if session is None or session.access_token != used.access_token:
                return session
            request = request_of(refresh.method, refresh.request(session.refresh_token))
            attempts = Attempts(refresh.method, self._retries, refresh.method.timeout)
            try:
                answer = self._send(request, None, attempts)
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
