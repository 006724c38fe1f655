from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
import pytest
from litestar.types import Receive, Scope, Send

from seam.http.last_resort import always_answered


async def nothing() -> Any:
    raise AssertionError("nobody reads the request")


class Sent:
    """What an application sends."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def problem(self) -> tuple[int, Any]:
        start, body = self.messages
        assert (b"content-type", b"application/problem+json") in start["headers"]
        return start["status"], msgspec.json.decode(body["body"])


SCOPE: Any = {"type": "http", "method": "GET", "path": "/v1/things"}


async def test_an_application_that_fails_is_answered_for_and_its_error_is_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("the password is swordfish")

    sent = Sent()
    await always_answered(fail)(SCOPE, nothing, sent)
    status, problem = sent.problem
    assert (status, problem["code"]) == (500, "INTERNAL")
    assert "swordfish" not in str(problem)
    [record] = caplog.records
    assert record.getMessage().endswith(problem["detail"].removeprefix("internal error "))


async def test_a_request_that_is_cut_off_is_answered_and_takes_one_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def wait(_: Scope, __: Receive, ___: Send) -> None:
        await asyncio.Event().wait()

    sent = Sent()
    task = asyncio.ensure_future(always_answered(wait)(SCOPE, nothing, sent))
    await asyncio.sleep(0)
    task.cancel()
    await task
    status, problem = sent.problem
    assert (status, problem["code"]) == (503, "UNAVAILABLE")
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert (record.getMessage(), record.exc_info) == (
        "GET /v1/things was cut off, as the process ends",
        None,
    )


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    async def fail(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    sent = Sent()
    await always_answered(fail)(SCOPE, nothing, sent)
    assert [message["type"] for message in sent.messages] == ["http.response.start"]
