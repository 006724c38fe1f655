"""What a client does for its callers, whether they wait or run under asyncio."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from contract_client import ApiError, AsyncConnection, Code, Connection, InvalidField
from contract_client.testing.notes import (
    END,
    READ,
    REFRESH,
    WATCH,
    WATCH_ONCE,
    WRITE,
    WRITE_ONCE,
    Answers,
    Caller,
    Note,
    NoteGone,
    NoteGoneError,
    RefreshRequest,
    Tokens,
    Waiting,
    event,
    events,
    note,
    problem,
    unavailable,
)

Connect = Callable[[Answers], Caller]


class Server:
    """Answers one request after the other, and remembers them."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def failure_of(call: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as failed:
        call()
    return failed.value


def test_an_answer_is_a_record_and_what_a_newer_server_adds_is_left_out(connect: Connect) -> None:
    server = Server(note(noteId="a", position="9007199254740993", comesLater={"x": 1}))
    found = connect(server).call(READ, Note(note_id="a"))
    assert found == Note(note_id="a", position=9007199254740993)


def test_path_and_query_hold_any_text(connect: Connect) -> None:
    server = Server(note())
    connect(server).call(READ, Note(note_id="a/b ü?", text="x&y=ä", tags=("1", "2")))
    assert server.requests[0].url.raw_path == (
        b"/v1/notes/a%2Fb%20%C3%BC%3F?text=x%26y%3D%C3%A4&tags=1&tags=2"
    )


@pytest.mark.parametrize("name", [".", ".."])
def test_a_value_that_looks_like_a_folder_stays_a_value(connect: Connect, name: str) -> None:
    server = Server(note())
    connect(server).call(READ, Note(note_id=name))
    assert server.requests[0].url.raw_path == b"/v1/notes/" + name.replace(".", "%2E").encode()


def test_an_empty_value_in_a_path_is_refused_before_anything_is_sent(connect: Connect) -> None:
    server = Server()
    with pytest.raises(ValueError, match="note_id: it stands in the path"):
        connect(server).call(READ, Note())
    assert server.requests == []


def test_a_body_leaves_out_defaults_since_an_older_server_may_not_know_them(
    connect: Connect,
) -> None:
    server = Server(note())
    connect(server).call(WRITE, Note(text="x", tags=("a",)))
    assert json.loads(server.requests[0].content) == {"text": "x", "tags": ["a"]}


def test_a_declared_error_has_a_class_and_fields(connect: Connect) -> None:
    gone = problem(404, "NOT_FOUND", error="NoteGone", fields={"noteId": "a"})
    error = failure_of(lambda: connect(Server(gone)).call(READ, Note(note_id="a")))
    assert isinstance(error, NoteGoneError)
    assert error.record == NoteGone(note_id="a")
    assert (error.code, error.status, error.name) == (Code.NOT_FOUND, 404, "NoteGone")


def test_an_error_that_only_a_newer_server_declares_has_its_code(connect: Connect) -> None:
    later = problem(409, "ABORTED", error="NoteLocked", fields={"by": "x"})
    error = failure_of(lambda: connect(Server(later)).call(READ, Note(note_id="a")))
    assert type(error) is ApiError
    assert (error.code, error.name) == (Code.ABORTED, "NoteLocked")


def test_an_invalid_field_is_named(connect: Connect) -> None:
    refused = problem(400, "INVALID_ARGUMENT", errors=[{"field": "text", "detail": "too long"}])
    error = failure_of(lambda: connect(Server(refused)).call(WRITE, Note()))
    assert error.invalid_fields == (InvalidField("text", "too long"),)


@pytest.mark.parametrize(
    ("status", "code"), [(502, Code.UNAVAILABLE), (404, Code.NOT_FOUND), (500, Code.INTERNAL)]
)
def test_what_somebody_between_answers_has_a_code_all_the_same(
    connect: Connect, status: int, code: Code
) -> None:
    page = httpx.Response(status, text="<html>Sorry</html>")
    assert failure_of(lambda: connect(Server(page)).call(WRITE, Note())).code is code


def test_an_answer_that_is_none_is_an_error(connect: Connect) -> None:
    broken = httpx.Response(200, json={"position": "x"})
    error = failure_of(lambda: connect(Server(broken)).call(READ, Note(note_id="a")))
    assert error.code is Code.INTERNAL
    assert "position: expected an integer" in error.detail


def reset() -> httpx.ReadError:
    return httpx.ReadError("reset")


def unreachable() -> httpx.ConnectError:
    return httpx.ConnectError("refused")


@pytest.mark.parametrize("passing", [unavailable, reset, unreachable])
def test_a_repeatable_call_is_tried_again(
    connect: Connect, passing: Callable[[], httpx.Response | Exception]
) -> None:
    server = Server(passing(), passing(), note(noteId="a"))
    assert connect(server).call(READ, Note(note_id="a")).note_id == "a"
    assert len(server.requests) == 3


def test_a_call_is_tried_four_times_at_the_most(connect: Connect) -> None:
    server = Server(*(unavailable() for _ in range(9)))
    error = failure_of(lambda: connect(server).call(READ, Note(note_id="a")))
    assert error.code is Code.UNAVAILABLE
    assert len(server.requests) == 4


@pytest.mark.parametrize("passing", [unavailable, reset])
def test_a_call_that_may_have_been_handled_is_not_tried_again(
    connect: Connect, passing: Callable[[], httpx.Response | Exception]
) -> None:
    server = Server(passing(), note())
    assert failure_of(lambda: connect(server).call(WRITE, Note())).code is Code.UNAVAILABLE
    assert len(server.requests) == 1


def test_a_call_that_was_never_sent_is_tried_again_whatever_it_does(connect: Connect) -> None:
    server = Server(httpx.ConnectError("refused"), note(noteId="a"))
    assert connect(server).call(WRITE, Note()).note_id == "a"


def test_one_key_names_all_attempts_of_a_call_and_no_other_call(connect: Connect) -> None:
    server = Server(unavailable(), note(), note(), note())
    caller = connect(server)
    caller.call(WRITE_ONCE, Note())
    caller.call(WRITE_ONCE, Note())
    caller.call(WRITE_ONCE, Note(), idempotency_key="mine")
    first, again, second, third = [each.headers["idempotency-key"] for each in server.requests]
    assert first == again != second
    assert third == "mine"


def test_a_call_that_comes_too_early_waits_as_long_as_the_server_says(
    connect: Connect,
) -> None:
    early = {"retry-after": "1"}
    server = Server(problem(429, "RESOURCE_EXHAUSTED", early), note())
    error = failure_of(lambda: connect(server).call(READ, Note(note_id="a"), timeout=0.9))
    assert error.retry_after == 1.0
    server = Server(problem(429, "RESOURCE_EXHAUSTED", early), note(noteId="a"))
    began = time.monotonic()
    assert connect(server).call(READ, Note(note_id="a"), timeout=5.0).note_id == "a"
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize(
    ("code", "error", "attempts"),
    [
        (Code.UNAVAILABLE, "", 2),
        (Code.RESOURCE_EXHAUSTED, "", 2),
        (Code.UNAVAILABLE, "Closed", 1),
        (Code.RESOURCE_EXHAUSTED, "TooManyAttempts", 1),
        (Code.ABORTED, "", 1),
        (Code.INTERNAL, "", 1),
    ],
)
@pytest.mark.parametrize("retry_after", [{}, {"retry-after": "0"}])
def test_what_is_away_or_full_is_asked_again_and_what_a_contract_names_is_not(
    connect: Connect, code: Code, error: str, attempts: int, retry_after: dict[str, str]
) -> None:
    body = {"code": code.value, "detail": "no", **({"error": error, "fields": {}} if error else {})}
    server = Server(httpx.Response(400, json=body, headers=retry_after), note(noteId="a"))
    caller = connect(server)
    if attempts == 1:
        assert failure_of(lambda: caller.call(READ, Note(note_id="a"))).name == error
    else:
        assert caller.call(READ, Note(note_id="a")).note_id == "a"
    assert len(server.requests) == attempts


def test_a_call_without_time_fails_before_it_is_sent(connect: Connect) -> None:
    server = Server(note())
    error = failure_of(lambda: connect(server).call(READ, Note(note_id="a"), timeout=0.0))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert server.requests == []


def wait_of(connect: Connect, retry_after: str) -> float | None:
    """How long a server that answers so is said to want to be left alone."""
    headers = {"retry-after": retry_after}
    answer = problem(429, "RESOURCE_EXHAUSTED", headers, error="Full", fields={})
    return failure_of(lambda: connect(Server(answer)).call(READ, Note(note_id="a"))).retry_after


def test_a_date_is_as_good_as_a_number_of_seconds(connect: Connect) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    wait = wait_of(connect, later)
    assert wait is not None
    assert 60 <= wait <= 90
    assert wait_of(connect, "Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("header", ["soon", "Wed, 99 Oct 2015 07:28:00 GMT", "-1", "1.5"])
def test_what_is_neither_says_nothing(connect: Connect, header: str) -> None:
    assert wait_of(connect, header) is None


def test_a_server_that_is_silent_for_too_long_is_an_error(connect: Connect) -> None:
    error = failure_of(
        lambda: connect(Server(httpx.ReadTimeout("x"))).call(READ, Note(note_id="a"))
    )
    assert error.code is Code.DEADLINE_EXCEEDED


# Tokens


def tokens(n: int, expires_in: int = 900) -> Tokens:
    return Tokens(access_token=f"access {n}", refresh_token=f"refresh {n}", expires_in=expires_in)


def as_answer(given: Tokens) -> httpx.Response:
    body = {
        "accessToken": given.access_token,
        "refreshToken": given.refresh_token,
        "expiresIn": given.expires_in,
    }
    return httpx.Response(200, json=body)


def refused_token() -> httpx.Response:
    challenge = {"www-authenticate": 'Bearer error="invalid_token"'}
    response: httpx.Response = problem(401, "UNAUTHENTICATED", challenge)
    return response


def said(requests: Iterable[httpx.Request]) -> list[tuple[str, str | None]]:
    return [(each.url.path, each.headers.get("authorization")) for each in requests]


def test_a_token_goes_with_each_call_and_is_renewed_before_it_expires(connect: Connect) -> None:
    server = Server(as_answer(tokens(2)), note(), note())
    caller = connect(server)
    caller.sign_in(tokens(1, expires_in=5))
    caller.call(READ, Note(note_id="a"))
    caller.call(READ, Note(note_id="a"))
    read = ("/v1/notes/a", "Bearer access 2")
    assert said(server.requests) == [("/refresh", None), read, read]
    assert json.loads(server.requests[0].content) == {"refreshToken": "refresh 1"}


def test_a_token_that_is_refused_is_renewed_and_the_call_made_again(connect: Connect) -> None:
    server = Server(refused_token(), as_answer(tokens(2)), note(noteId="a"))
    caller = connect(server)
    caller.sign_in(tokens(1))
    assert caller.call(WRITE, Note()).note_id == "a"
    assert said(server.requests) == [
        ("/v1/notes", "Bearer access 1"),
        ("/refresh", None),
        ("/v1/notes", "Bearer access 2"),
    ]


def test_a_new_token_that_is_refused_as_well_is_an_error(connect: Connect) -> None:
    server = Server(refused_token(), as_answer(tokens(2)), refused_token())
    caller = connect(server)
    caller.sign_in(tokens(1))
    assert failure_of(lambda: caller.call(WRITE, Note())).code is Code.UNAUTHENTICATED
    assert len(server.requests) == 3


def test_a_session_that_has_ended_is_forgotten(connect: Connect) -> None:
    server = Server(refused_token(), problem(401, "UNAUTHENTICATED"), note())
    caller = connect(server)
    caller.sign_in(tokens(1))
    assert failure_of(lambda: caller.call(READ, Note(note_id="a"))).status == 401
    assert not caller.is_signed_in


def test_a_refresh_whose_answer_is_lost_is_not_repeated_since_a_token_is_good_once(
    connect: Connect,
) -> None:
    server = Server(refused_token(), unavailable(), as_answer(tokens(2)), note())
    caller = connect(server)
    caller.sign_in(tokens(1))
    assert failure_of(lambda: caller.call(READ, Note(note_id="a"))).code is Code.UNAVAILABLE
    assert [path for path, _ in said(server.requests)] == ["/v1/notes/a", "/refresh"]


def test_no_token_goes_where_tokens_are_given(connect: Connect) -> None:
    server = Server(as_answer(tokens(2)))
    caller = connect(server)
    caller.sign_in(tokens(1, expires_in=0))
    caller.call(REFRESH.method, RefreshRequest(refresh_token="x"))
    assert said(server.requests) == [("/refresh", None)]


def test_threads_whose_token_is_refused_at_once_refresh_once() -> None:
    together = threading.Barrier(8)
    refreshed: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/refresh":
            refreshed.append(json.loads(request.content)["refreshToken"])
            return as_answer(tokens(2))
        if request.headers["authorization"] == "Bearer access 1":
            together.wait(10)
            return refused_token()
        return note()

    caller = Waiting(answer)
    caller.sign_in(tokens(1))
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(caller.call, READ, Note(note_id="a")) for _ in range(8)]
        assert [each.result() for each in calls] == [Note()] * 8
    assert refreshed == ["refresh 1"]


def test_tasks_whose_token_is_refused_at_once_refresh_once() -> None:
    refreshed: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        if request.url.path == "/refresh":
            refreshed.append(json.loads(request.content)["refreshToken"])
            return as_answer(tokens(2))
        is_old = request.headers["authorization"] == "Bearer access 1"
        return refused_token() if is_old else note()

    async def at_once() -> list[Note]:
        transport = httpx.MockTransport(answer)
        async with AsyncConnection("http://notes", refresh=REFRESH, transport=transport) as caller:
            caller.sign_in(tokens(1))
            calls = (caller.call(READ, Note(note_id="a")) for _ in range(8))
            return await asyncio.gather(*calls)

    assert asyncio.run(at_once()) == [Note()] * 8
    assert refreshed == ["refresh 1"]


def test_a_caller_who_gives_up_does_not_lose_the_tokens_that_are_on_their_way() -> None:
    async def give_up() -> str:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/refresh":
                asked.set()
                await go_on.wait()
                return as_answer(tokens(2))
            return note()

        transport = httpx.MockTransport(answer)
        async with AsyncConnection("http://notes", refresh=REFRESH, transport=transport) as caller:
            caller.sign_in(tokens(1, expires_in=0))
            call = asyncio.create_task(caller.call(READ, Note(note_id="a")))
            await asked.wait()
            call.cancel()
            await asyncio.wait([call])
            assert call.cancelled()
            go_on.set()
            await caller.call(READ, Note(note_id="a"))
            assert caller.session is not None
            return caller.session.refresh_token

    assert asyncio.run(give_up()) == "refresh 2"


# Streams


def test_a_stream_that_breaks_off_goes_on_after_the_last_record(connect: Connect) -> None:
    server = Server(
        events(event(1), event(2)), httpx.ReadError("reset"), events(event(3), END, event(4))
    )
    found = connect(server).stream(WATCH, Note())
    assert [each.position for each in found] == [1, 2, 3]
    assert [each.headers.get("last-event-id") for each in server.requests] == [None, "2", "2"]


def test_a_stream_that_does_not_come_back_is_an_error(connect: Connect) -> None:
    server = Server(events(event(1)), *(unavailable() for _ in range(9)))
    assert failure_of(lambda: connect(server).stream(WATCH, Note())).code is Code.UNAVAILABLE
    assert len(server.requests) == 5


def test_a_stream_that_names_no_positions_does_not_begin_again(connect: Connect) -> None:
    server = Server(events(event(1)), events(event(1), END))
    assert failure_of(lambda: connect(server).stream(WATCH_ONCE, Note())).code is Code.UNAVAILABLE


def test_an_error_ends_a_stream_at_its_beginning_and_later(connect: Connect) -> None:
    later = 'event: error\ndata: {"code": "PERMISSION_DENIED", "status": 403}\n\n'
    for server in (Server(problem(403, "PERMISSION_DENIED")), Server(events(event(1), later))):
        error = failure_of(lambda: connect(server).stream(WATCH, Note()))  # noqa: B023
        assert error.code is Code.PERMISSION_DENIED
        assert len(server.requests) == 1


def test_a_stream_renews_a_token_that_is_refused(connect: Connect) -> None:
    server = Server(refused_token(), as_answer(tokens(2)), events(event(1), END))
    caller = connect(server)
    caller.sign_in(tokens(1))
    assert [each.position for each in caller.stream(WATCH, Note())] == [1]


@pytest.mark.parametrize("kind", [Connection, AsyncConnection])
@pytest.mark.parametrize(
    "base_url",
    ["", "shop.example", "127.0.0.1:8080", "ftp://shop.example", "http://", "http://a:b"],
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(
    kind: type[Connection | AsyncConnection], base_url: str
) -> None:
    with pytest.raises(ValueError, match=r"^base_url: .*expected such as https://shop\.example"):
        kind(base_url)


@pytest.mark.parametrize("timeout", [math.nan, "1"])
def test_a_time_out_that_is_no_number_is_refused(timeout: float) -> None:
    server = Server()
    with (
        Connection("http://server", transport=httpx.MockTransport(server)) as client,
        pytest.raises(ValueError, match=r"^timeout: expected a number of seconds"),
    ):
        client.call(READ, Note(note_id="1"), timeout)
    assert server.requests == []


@pytest.mark.parametrize("key", ["", "a\nb", "\0", "é", "\ud800", " a", 5])
def test_a_key_that_no_header_holds_is_refused(key: str) -> None:
    server = Server()
    with (
        Connection("http://server", transport=httpx.MockTransport(server)) as client,
        pytest.raises(ValueError, match=r"^idempotency_key: expected"),
    ):
        client.call(WRITE_ONCE, Note(), idempotency_key=key)
    assert server.requests == []


@pytest.mark.parametrize("timeout", [math.inf, 2.0**31, 1e300])
def test_a_call_may_take_as_long_as_it_likes(connect: Connect, timeout: float) -> None:
    assert connect(Server(note(noteId="a"))).call(READ, Note(note_id="a"), timeout=timeout)
