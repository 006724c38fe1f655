"""Errors as RFC 9457 problem details.

Whatever goes wrong, a client gets `application/problem+json` with the canonical code. A typed
error adds its name in the contract and the fields of its record; `type` then points at the
record's description in the OpenAPI document that the same process serves.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Send

from lib.http_status import HTTP_STATUS
from seam.contract.errors import (
    Code,
    ContractError,
    InvalidArgumentError,
    InvalidField,
    StatusError,
)
from seam.http.exchange import request_id_of
from seam.http.text import shown

log = logging.getLogger(__name__)

_Request = Request[Any, Any, Any]

MEDIA_TYPE: Final = "application/problem+json"

SIGN_IN: Final = 'Bearer realm="api"'
TOKEN_REFUSED: Final = 'Bearer error="invalid_token"'  # noqa: S105
"""What `WWW-Authenticate` says, see https://www.rfc-editor.org/rfc/rfc6750#section-3."""

_LAST_RESORT: Final = (
    b'{"type":"about:blank","title":"Internal","status":500,"code":"INTERNAL",'
    b'"detail":"the error could not be described"}'
)

FieldsOf = Mapping[type[ContractError[Any]], Callable[[Any], Mapping[str, Any]]]
"""Typed errors of an API, and how the fields of each become JSON."""

_CODE_OF_STATUS: Final = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    405: Code.UNIMPLEMENTED,
    408: Code.DEADLINE_EXCEEDED,
    413: Code.INVALID_ARGUMENT,
    414: Code.INVALID_ARGUMENT,
    415: Code.INVALID_ARGUMENT,
    426: Code.FAILED_PRECONDITION,
    429: Code.RESOURCE_EXHAUSTED,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}


def exception_handlers(fields_of: FieldsOf) -> ExceptionHandlersMap:
    """Make the exception handlers of a Litestar application. None of them can fail.

    Args:
        fields_of: the typed errors that its routes may answer with.
    """

    def typed(request: _Request, error: ContractError[Any]) -> Response[bytes]:
        name = type(error).name
        response = _problem(
            HTTP_STATUS[error.code.name],
            error.code,
            type=f"/schema#/components/schemas/{name}",
            title=_words(name.rpartition(".")[2]),
            detail=error.message,
            error=name.rpartition(".")[2],
            fields=fields_of[type(error)](error.record),
        )
        if error.retry_after is not None:
            response.headers["retry-after"] = str(error.retry_after)
        return _with_challenge(request, error, response)

    return {
        ContractError: _surely(typed),
        StatusError: _surely(_plain),
        InvalidField: _surely(_invalid_field),
        HTTPException: _surely(_http),
        Exception: _surely(_unexpected),
    }


def _surely(handle: Callable[[_Request, Any], Response[bytes]]) -> Callable[..., Response[bytes]]:
    """Let an exception handler that fails answer with a problem all the same."""

    def answer(request: _Request, error: Exception) -> Response[bytes]:
        try:
            return handle(request, error)
        except Exception as failure:
            log.exception("an error could not be written as a problem: %s", type(failure).__name__)
            return Response(_LAST_RESORT, status_code=500, media_type=MEDIA_TYPE)

    return answer


def _plain(request: _Request, error: StatusError) -> Response[bytes]:
    if isinstance(error, InvalidArgumentError):
        return _invalid_field(request, error.field)
    response = _problem(HTTP_STATUS[error.code.name], error.code, detail=error.message)
    return _with_challenge(request, error, response)


def _with_challenge(
    request: _Request, error: StatusError, response: Response[bytes]
) -> Response[bytes]:
    """Say how to prove who asks, as every answer of 401 has to."""
    if error.code is Code.UNAUTHENTICATED:
        sent = "authorization" in request.headers
        response.headers["www-authenticate"] = TOKEN_REFUSED if sent else SIGN_IN
    return response


def _invalid_field(_: _Request, error: InvalidField) -> Response[bytes]:
    errors = [{"field": error.path, "detail": error.reason}] if error.path else []
    return _problem(400, Code.INVALID_ARGUMENT, detail=str(error), errors=errors)


def _http(request: _Request, error: HTTPException) -> Response[bytes]:
    status = error.status_code
    code = _CODE_OF_STATUS.get(status, Code.UNKNOWN)
    response = _problem(status, code, detail=f"{_where(request)}: {error.detail}")
    response.headers.update(error.headers or {})
    return response


def _unexpected(request: _Request, error: Exception) -> Response[bytes]:
    identifier = uuid.uuid4().hex
    log.error(
        "%s failed, request id %s, error id %s",
        _where(request),
        request_id_of(request.scope),
        identifier,
        exc_info=error,
    )
    return _problem(500, Code.INTERNAL, detail=f"internal error {identifier}")


def _where(request: _Request) -> str:
    return f"{request.method} {shown(str(request.scope['path']))}"


def _problem(status: int, code: Code, **members: object) -> Response[bytes]:
    return Response(
        problem_body(status, code, **members), status_code=status, media_type=MEDIA_TYPE
    )


def problem_body(status: int, code: Code, **members: object) -> bytes:
    """Write a problem document.

    Args:
        status: the HTTP status.
        code: the canonical code.
        members: further members of the document; they may replace `type` and `title`.
    """
    body: dict[str, object] = {
        "type": "about:blank",
        "title": _words(code.name.title().replace("_", "")),
        "status": status,
        "code": code.name,
        **members,
    }
    try:
        return msgspec.json.encode(_shortened(body))
    except UnicodeEncodeError:
        return json.dumps(_shortened(body), default=str).encode("ascii")


async def send_problem(
    send: Send,
    status: int,
    code: Code,
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    **members: object,
) -> None:
    """Answer an ASGI request with a problem document.

    Args:
        send: the request's `send`.
        status: the HTTP status.
        code: the canonical code.
        headers: further headers.
        members: further members of the document.
    """
    body = problem_body(status, code, **members)
    all_headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _shortened(value: object) -> object:
    """What an error repeats of a request, in a document of bounded size."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): _shortened(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shortened(item) for item in value]
    return value


def _words(name: str) -> str:
    """`ItemNotFound` as a title: `Item not found`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).capitalize()
