from __future__ import annotations

import logging
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.testing import AsyncTestClient

from conformance.v1.conformance import Refused, RefusedError
from conformance.v1.conformance_json import refused_to_json
from seam.contract.errors import Code, InvalidField, StatusError
from seam.http.problem import exception_handlers


async def answer_to(error: Exception, method: str = "GET") -> tuple[int, dict[str, Any]]:
    @get("/")
    async def fail() -> None:
        raise error

    handlers = exception_handlers({RefusedError: refused_to_json})
    app = Litestar([fail], exception_handlers=handlers, openapi_config=None, logging_config=None)
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        response = await client.request(method, "/")
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()


async def test_a_typed_error_is_a_problem_with_its_name_and_fields() -> None:
    status, problem = await answer_to(RefusedError(Refused(reason="of the weather")))
    assert status == 400
    assert problem == {
        "type": "/schema#/components/schemas/conformance.v1.Refused",
        "title": "Refused",
        "status": 400,
        "code": "FAILED_PRECONDITION",
        "detail": "Refused, because of the weather.",
        "error": "Refused",
        "fields": {"reason": "of the weather"},
    }


# Source: google/rpc/code.proto, "HTTP Mapping".
PUBLISHED = {
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.UNAUTHENTICATED: 401,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
}


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
async def test_every_status_has_the_http_status_that_google_has_published(code: Code) -> None:
    status, problem = await answer_to(StatusError(code, "why"))
    assert status == PUBLISHED[code] == problem["status"]
    assert (problem["code"], problem["detail"]) == (code.name, "why")


async def test_an_invalid_field_is_named() -> None:
    status, problem = await answer_to(InvalidField("lines[2].quantity", "expected an int32"))
    assert status == 400
    assert problem["errors"] == [{"field": "lines[2].quantity", "detail": "expected an int32"}]


async def test_a_method_that_the_route_does_not_know_is_a_problem_too() -> None:
    status, problem = await answer_to(RuntimeError(), method="PATCH")
    assert status == 405
    assert problem["title"] == "Unimplemented"
    assert problem["detail"].startswith("PATCH /")


async def test_an_unexpected_error_is_logged_under_an_id_and_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        status, problem = await answer_to(RuntimeError("the password is swordfish"))
    assert status == 500
    assert "swordfish" not in str(problem)
    identifier = problem["detail"].removeprefix("internal error ")
    assert any(identifier in record.getMessage() for record in caplog.records)
