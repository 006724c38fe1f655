"""What a method of a contract is over HTTP: how its request is sent, and its answer read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from contract_client.descriptors import (
    Field,
    InvalidJsonError,
    ListField,
    Member,
    fields_of,
    from_json,
    to_json,
    written,
)
from contract_client.errors import ApiError, Code, TypedError
from contract_client.records import Record

__all__ = ["Method", "Request", "answer_of", "request_of", "unbound_by_path"]

R = TypeVar("R", bound=Record)

_JSON: Final = {"content-type": "application/json"}

_KEY: Final = re.compile("[!-~](?:[ -~]*[!-~])?")
"""What a header can hold."""


@dataclass(frozen=True)
class Method(Generic[R]):
    """A method that is bound to HTTP.

    Attributes:
        name: its full name, such as `inventory.v1.InventoryApi/GetItem`.
        verb: such as `GET`.
        path: the segments of the path; a tuple of one name stands for the field that is in its
            place.
        suffix: what follows the last segment, such as `:cancel`.
        query: the fields that the query has, by their names in JSON.
        body: the field that the body holds, `*` for all that the path does not, or nothing.
        response: what the answer is.
        timeout: seconds that a call may take unless its caller says otherwise.
        is_repeatable: whether a second call does no harm.
        has_key: whether a key names what the caller wants done, so that it is done once.
        is_stream: whether the answer is a stream of server-sent events.
        resumes: whether a stream that broke off goes on where it was.
        takes_token: whether an access token goes with a call, where there is one.
        errors: the errors that the contract declares.
    """

    name: str
    verb: str
    path: tuple[str | tuple[str], ...]
    response: type[R]
    timeout: float
    suffix: str = ""
    query: tuple[str, ...] = ()
    body: str = ""
    is_repeatable: bool = False
    has_key: bool = False
    is_stream: bool = False
    resumes: bool = False
    takes_token: bool = True
    errors: tuple[type[TypedError[Any]], ...] = ()


@dataclass(frozen=True)
class Request:
    """A request that can be sent.

    Attributes:
        verb: such as `GET`.
        target: path and query.
        headers: what is sent besides, in small letters.
        content: the body.
    """

    verb: str
    target: str
    headers: dict[str, str]
    content: bytes | None


def request_of(method: Method[Any], record: Record, key: str | None = None) -> Request:
    """Make the request of a call.

    Args:
        method: what is called.
        record: what with.
        key: the call's `Idempotency-Key`, where the method has one.

    Raises:
        ValueError: a value cannot be sent, such as an empty one in the path.
    """
    fields = fields_of(type(record))
    segments = [
        each if isinstance(each, str) else _segment(fields[each[0]], record) for each in method.path
    ]
    target = f"/{'/'.join(segments)}{method.suffix}"
    pairs = [pair for name in method.query for pair in _parameters(fields[name], record)]
    if pairs:
        target += f"?{urlencode(pairs)}"
    headers = {"accept": "text/event-stream" if method.is_stream else "application/json"}
    if key is not None:
        _check(key)
        headers["idempotency-key"] = key
    content = None
    if method.body:
        headers |= _JSON
        content = msgspec.json.encode(
            _body(method, fields[method.body], record)
            if method.body != "*"
            else unbound_by_path(method, record)
        )
    return Request(method.verb, target, headers, content)


def _check(key: object) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError("idempotency_key: expected printable characters of ASCII")


def unbound_by_path(method: Method[Any], record: Record) -> dict[str, object]:
    """All of a request that the path does not hold, as JSON.

    Raises:
        ValueError: it holds what cannot be sent.
    """
    value = to_json(record, defaults=False)
    fields = fields_of(type(record))
    for each in method.path:
        if isinstance(each, tuple):
            value.pop(fields[each[0]].names[0], None)
    return value


def _body(method: Method[Any], member: Member, record: Record) -> object:
    found = written(member, record, defaults=True)
    if not found:
        raise ValueError(f"{member.attribute}: {method.name} needs it")
    return to_json(getattr(record, member.attribute), defaults=False)


def _segment(member: Member, record: Record) -> str:
    (text,) = [text for _, text in _texts(member, record, defaults=True)] or [""]
    if not text:
        raise ValueError(f"{member.attribute}: it stands in the path, so it cannot be empty")
    # As whole segments these would be taken for folders.
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def _parameters(member: Member, record: Record) -> list[tuple[str, str]]:
    return _texts(member, record, defaults=False)


def _texts(member: Member, record: Record, *, defaults: bool) -> list[tuple[str, str]]:
    """A field as texts, of which a repeated one can be several."""
    assert isinstance(member, (Field, ListField))
    return [
        (name, _text(each))
        for name, value in written(member, record, defaults=defaults)
        for each in (value if isinstance(value, list) else [value])
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def answer_of(method: Method[R], body: bytes) -> R:
    """Read the body of an answer.

    Raises:
        ApiError: it is none of the method's; the code is INTERNAL.
    """
    try:
        return from_json(method.response, msgspec.json.decode(body))
    except (msgspec.DecodeError, InvalidJsonError, RecursionError) as error:
        raise ApiError(
            Code.INTERNAL, f"{method.name} answered with what is none of its answers: {error}"
        ) from error
