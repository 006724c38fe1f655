"""A made-up contract, as a generated module would have it, and servers that play a part."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, Protocol

import httpx

from contract_client import AsyncConnection, Connection, Record, Retries, TypedError
from contract_client.descriptors import INT32, INT64, STRING, Field, ListField, describe
from contract_client.methods import Method
from contract_client.tokens import Refresh, TokenStore


class Note(Record, kw_only=True):
    """A note."""

    note_id: str = ""
    text: str = ""
    position: int = 0
    tags: tuple[str, ...] = ()


class NoteGone(Record, kw_only=True):
    """There is no such note."""

    note_id: str = ""


class NoteGoneError(TypedError[NoteGone]):
    """There is no such note."""

    contract_name = "NoteGone"
    record_type = NoteGone


class Tokens(Record, kw_only=True):
    """What signing in is answered with."""

    access_token: str = ""
    refresh_token: str = ""
    expires_in: int = 0


class RefreshRequest(Record, kw_only=True):
    """What to give new tokens for."""

    refresh_token: str


describe(
    Note,
    Field("note_id", STRING, "noteId", "note_id"),
    Field("text", STRING),
    Field("position", INT64),
    ListField("tags", STRING),
)
describe(NoteGone, Field("note_id", STRING, "noteId", "note_id"))
describe(
    Tokens,
    Field("access_token", STRING, "accessToken"),
    Field("refresh_token", STRING, "refreshToken"),
    Field("expires_in", INT32, "expiresIn"),
)
describe(RefreshRequest, Field("refresh_token", STRING, "refreshToken", optional=True))

READ: Final = Method(
    "notes.v1.NotesApi/GetNote",
    "GET",
    ("v1", "notes", ("note_id",)),
    Note,
    timeout=5.0,
    query=("text", "tags"),
    is_repeatable=True,
    errors=(NoteGoneError,),
)
WRITE: Final = Method(
    "notes.v1.NotesApi/PutNote", "POST", ("v1", "notes"), Note, timeout=5.0, body="*"
)
WRITE_ONCE: Final = Method(
    "notes.v1.NotesApi/AddNote", "POST", ("v1", "notes"), Note, timeout=5.0, body="*", has_key=True
)
WATCH: Final = Method(
    "notes.v1.NotesApi/WatchNotes",
    "GET",
    ("v1", "notes"),
    Note,
    timeout=900.0,
    suffix=":watch",
    is_stream=True,
    resumes=True,
)
WATCH_ONCE: Final = Method(
    "notes.v1.NotesApi/FollowNotes", "GET", ("v1", "follow"), Note, timeout=900.0, is_stream=True
)
REFRESH: Final = Refresh(
    Method(
        "notes.v1.NotesApi/Refresh",
        "POST",
        ("refresh",),
        Tokens,
        timeout=5.0,
        body="*",
        takes_token=False,
    ),
    lambda token: RefreshRequest(refresh_token=token),
)

Answers = Callable[[httpx.Request], httpx.Response]


def note(**members: object) -> httpx.Response:
    """An answer that is a note."""
    return httpx.Response(200, json=members)


def problem(
    status: int, code: str, headers: dict[str, str] | None = None, **members: object
) -> Any:
    """An answer that is an error."""
    body = {"status": status, "code": code, "detail": "no", **members}
    return httpx.Response(status, json=body, headers=headers or {})


def unavailable() -> httpx.Response:
    """An answer of a server that is away."""
    response: httpx.Response = problem(503, "UNAVAILABLE")
    return response


def events(*parts: str, retry: int = 1) -> httpx.Response:
    """An answer that is a stream."""
    text = f"retry: {retry}\n\n" + "".join(parts)
    return httpx.Response(200, content=text.encode(), headers={"content-type": "text/event-stream"})


def event(position: int) -> str:
    """A record of a stream."""
    return f"id: {position}\ndata: {json.dumps({'position': str(position)})}\n\n"


END: Final = "event: end\ndata: {}\n\n"


class Caller(Protocol):
    """Calls as a client does, whether it waits or runs under asyncio."""

    def call(self, method: Method[Any], record: Record, **options: Any) -> Any: ...

    def stream(self, method: Method[Any], record: Record) -> list[Any]: ...

    def sign_in(self, tokens: Tokens) -> None: ...

    @property
    def is_signed_in(self) -> bool: ...


class Waiting:
    """Waits for its calls."""

    def __init__(self, answers: Answers, tokens: TokenStore | None = None) -> None:
        self.connection = Connection(
            "http://notes.example",
            refresh=REFRESH,
            tokens=tokens,
            retries=Retries(first=0.001),
            transport=httpx.MockTransport(answers),
        )

    def call(self, method: Method[Any], record: Record, **options: Any) -> Any:
        return self.connection.call(method, record, **options)

    def stream(self, method: Method[Any], record: Record) -> list[Any]:
        return list(self.connection.stream(method, record))

    def sign_in(self, tokens: Tokens) -> None:
        self.connection.sign_in(tokens)

    @property
    def is_signed_in(self) -> bool:
        return self.connection.session is not None


class Tasks:
    """Calls under asyncio."""

    def __init__(self, answers: Answers, tokens: TokenStore | None = None) -> None:
        self._runner = asyncio.Runner()
        self.connection = AsyncConnection(
            "http://notes.example",
            refresh=REFRESH,
            tokens=tokens,
            retries=Retries(first=0.001),
            transport=httpx.MockTransport(answers),
        )

    def call(self, method: Method[Any], record: Record, **options: Any) -> Any:
        return self._runner.run(self.connection.call(method, record, **options))

    def stream(self, method: Method[Any], record: Record) -> list[Any]:
        async def all_of() -> list[Any]:
            return [each async for each in self.connection.stream(method, record)]

        return self._runner.run(all_of())

    def sign_in(self, tokens: Tokens) -> None:
        self.connection.sign_in(tokens)

    @property
    def is_signed_in(self) -> bool:
        return self.connection.session is not None

    def close(self) -> None:
        self._runner.run(self.connection.close())
        self._runner.close()
