"""Conversations over a real WebSocket, for those who wait and under asyncio."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from contract_client import (
    ApiError,
    AsyncConnection,
    Code,
    Connection,
    async_conversation,
    conversation,
)
from contract_client.methods import Method
from contract_client.testing.notes import REFRESH, Note, Tokens

TALK: Final = Method(
    "notes.v1.NotesApi/TalkOfNote",
    "GET",
    ("v1", "notes", ("note_id",)),
    Note,
    timeout=60.0,
    suffix=":talk",
    query=("text",),
)

WAIT: Final = 10.0

Handler = Callable[[ServerConnection], None]


class Place:
    """A server of WebSockets, and what it was asked."""

    def __init__(self) -> None:
        self.handler: Handler = lambda connection: None
        self.refusals: list[Response] = []
        self.requests: list[Request] = []
        self.server: Server = serve(
            self._handle,
            "127.0.0.1",
            0,
            process_request=self._look_at,
            close_timeout=0.5,
            compression=None,
        )
        self.url = f"http://127.0.0.1:{self.server.socket.getsockname()[1]}/base"

    def _handle(self, connection: ServerConnection) -> None:
        self.handler(connection)

    def _look_at(self, connection: ServerConnection, request: Request) -> Response | None:
        del connection
        self.requests.append(request)
        return self.refusals.pop(0) if self.refusals else None


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()


def echo(connection: ServerConnection) -> None:
    """Say again what is heard; two words end it."""
    for frame in connection:
        heard = json.loads(frame)
        if heard.get("text") == "the end":
            return
        connection.send(json.dumps({**heard, "noteId": "said", "later": 1}))


def refusal(status: int, body: dict[str, Any], **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, "refused", Headers(fields), json.dumps(body).encode())


@pytest.mark.parametrize("kind", ["waiting", "asyncio"])
def test_what_is_said_is_heard_until_the_end(place: Place, kind: str) -> None:
    place.handler = echo
    first = Note(note_id="a/b", text="hello", position=7)

    def waiting() -> list[Note]:
        with Connection(place.url) as client, client.talk(TALK, first) as talking:
            talking.send(Note(note_id="a/b", position=3))
            talking.send(Note(tags=("x", "y")))
            talking.send(Note(text="the end"))
            return list(talking)

    async def under_asyncio() -> list[Note]:
        async with AsyncConnection(place.url) as client, await client.talk(TALK, first) as talking:
            await talking.send(Note(note_id="a/b", position=3))
            await talking.send(Note(tags=("x", "y")))
            await talking.send(Note(text="the end"))
            return [each async for each in talking]

    heard = waiting() if kind == "waiting" else asyncio.run(under_asyncio())
    assert heard == [Note(note_id="said", position=3), Note(note_id="said", tags=("x", "y"))]
    (request,) = place.requests
    assert request.path == "/base/v1/notes/a%2Fb:talk?text=hello"


def closing(code: int, reason: str) -> Handler:
    return lambda connection: connection.close(code, reason)


@pytest.mark.parametrize(
    ("code", "reason", "expected", "name"),
    [
        (1001, "", Code.UNAVAILABLE, ""),
        (1012, "long enough", Code.UNAVAILABLE, ""),
        (1013, "full", Code.UNAVAILABLE, ""),
        (1008, "PERMISSION_DENIED: not yours", Code.PERMISSION_DENIED, ""),
        (1008, "NoteGone: there is none", Code.UNKNOWN, "NoteGone"),
        (1011, "internal error 7", Code.INTERNAL, ""),
        (1009, "too large", Code.UNKNOWN, ""),
    ],
)
def test_why_a_conversation_was_ended_is_told(
    place: Place, code: int, reason: str, expected: Code, name: str
) -> None:
    place.handler = closing(code, reason)
    with (
        Connection(place.url) as client,
        client.talk(TALK, Note(note_id="1")) as talking,
        pytest.raises(ApiError) as failed,
    ):
        talking.receive(WAIT)
    assert (failed.value.code, failed.value.name) == (expected, name)


def test_a_connection_that_is_lost_is_told_to_who_hears_and_who_speaks(place: Place) -> None:
    place.handler = lambda connection: connection.socket.close()
    with Connection(place.url) as client, client.talk(TALK, Note(note_id="1")) as talking:
        for speak in (lambda: talking.receive(WAIT), lambda: talking.send(Note(text="x"))):
            with pytest.raises(ApiError) as failed:
                speak()
            assert failed.value.code is Code.UNAVAILABLE


def test_nothing_heard_in_time_ends_nothing(place: Place) -> None:
    place.handler = echo
    with Connection(place.url) as client, client.talk(TALK, Note(note_id="1")) as talking:
        with pytest.raises(TimeoutError):
            talking.receive(0.05)
        talking.send(Note(position=1))
        assert talking.receive(WAIT).position == 1


@pytest.mark.parametrize("kind", ["waiting", "asyncio"])
def test_a_refusal_is_the_error_that_its_answer_is(place: Place, kind: str) -> None:
    place.refusals = [refusal(404, {"code": "NOT_FOUND", "detail": "no such path"})]

    def waiting() -> None:
        with Connection(place.url) as client:
            client.talk(TALK, Note(note_id="1"))

    async def under_asyncio() -> None:
        async with AsyncConnection(place.url) as client:
            await client.talk(TALK, Note(note_id="1"))

    with pytest.raises(ApiError) as failed:
        waiting() if kind == "waiting" else asyncio.run(under_asyncio())
    assert (failed.value.code, failed.value.status) == (Code.NOT_FOUND, 404)


def test_a_server_that_is_away_is_unavailable(place: Place) -> None:
    place.server.shutdown()
    with pytest.raises(ApiError) as failed:
        Connection(place.url).talk(TALK, Note(note_id="1"))
    assert failed.value.code is Code.UNAVAILABLE


def test_a_token_that_is_refused_is_renewed_once(place: Place) -> None:
    challenge = 'Bearer error="invalid_token"'
    place.refusals = [refusal(401, {"code": "UNAUTHENTICATED"}, www_authenticate=challenge)]
    place.handler = echo
    new = {"accessToken": "new", "refreshToken": "r2", "expiresIn": 900}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=new))
    with Connection(place.url, refresh=REFRESH, transport=transport) as client:
        client.sign_in(Tokens(access_token="old", refresh_token="r1", expires_in=900))
        with client.talk(TALK, Note(note_id="1")) as talking:
            talking.send(Note(position=2))
            assert talking.receive(WAIT).position == 2
    sent = [each.headers["authorization"] for each in place.requests]
    assert sent == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("kind", ["waiting", "asyncio"])
def test_a_server_that_takes_nothing_is_given_up(
    place: Place, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def takes_nothing(connection: ServerConnection) -> None:
        del connection
        done.wait(WAIT)

    place.handler = takes_nothing
    monkeypatch.setattr(conversation, "SEND_TIMEOUT", 1.0)
    monkeypatch.setattr(async_conversation, "SEND_TIMEOUT", 1.0)
    said = Note(text="x" * 60_000)

    def waiting() -> None:
        with Connection(place.url) as client, client.talk(TALK, Note(note_id="1")) as talking:
            for _ in range(1_000):
                talking.send(said)

    async def under_asyncio() -> None:
        async with (
            AsyncConnection(place.url) as client,
            await client.talk(TALK, Note(note_id="1")) as talking,
        ):
            for _ in range(1_000):
                await talking.send(said)

    begun = time.monotonic()
    with pytest.raises(ApiError) as failed:
        waiting() if kind == "waiting" else asyncio.run(under_asyncio())
    assert failed.value.code is Code.UNAVAILABLE
    assert time.monotonic() - begun < WAIT
    done.set()


def test_a_frame_that_no_server_takes_is_refused_and_the_conversation_goes_on(place: Place) -> None:
    place.handler = echo
    with Connection(place.url) as client, client.talk(TALK, Note(note_id="1")) as talking:
        with pytest.raises(ValueError, match="65536 bytes"):
            talking.send(Note(text="ü" * 40_000))
        talking.send(Note(position=1))
        assert talking.receive(WAIT).position == 1
