"""What generated routes read requests with, and answer with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from seam.call import IDEMPOTENCY_KEY, Metadata, check_idempotency_key
from seam.contract.errors import InvalidField
from seam.http.limits import MAXIMUM_NUMBER_DIGITS, MAXIMUM_QUERY_PARAMETERS

HttpRequest = Request[Any, Any, Any]

D = TypeVar("D")
T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode

_JSON_SUFFIX: Final = re.compile(r"application/[\w.!#$&^-]+\+json")
_UTF8: Final = re.compile(r'charset="?utf-?8"?')
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def reply(value: object) -> Response[bytes]:
    """Answer a request with a ProtoJSON value."""
    return Response(_encode(value), media_type=MediaType.JSON)


async def read_json(request: HttpRequest) -> object:
    """Read the JSON value of a request's body; an empty body is an empty object.

    Raises:
        InvalidField: the body is no JSON, or names a member twice.
        HTTPException: 413 or 415, because the body is too large or not said to be JSON in UTF-8.
    """
    _check_content(request)
    body = await request.body()
    if not body:
        return {}
    try:
        return json_value(body.decode())
    except UnicodeDecodeError:
        raise InvalidField("", "the body is not valid JSON: expected UTF-8 text") from None


def json_value(text: str) -> object:
    """Read a JSON value.

    Raises:
        InvalidField: the text is no JSON, or names a member twice.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidField("", f"the body is not valid JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise InvalidField("", "the body is nested too deeply") from None


def _check_content(request: HttpRequest) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise HTTPException(status_code=415, detail="Content-Encoding: expected none, or identity")
    stated = request.headers.get("content-type")
    if stated is None:
        return
    media_type, *parameters = (part.strip().lower() for part in stated.split(";"))
    kind = media_type == "application/json" or _JSON_SUFFIX.fullmatch(media_type)
    charsets = [each for each in parameters if each.startswith("charset")]
    if not kind or not all(_UTF8.fullmatch(charset) for charset in charsets):
        raise HTTPException(
            status_code=415, detail="Content-Type: expected application/json, in UTF-8"
        )


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) < len(members):
        seen: set[str] = set()
        for name, _ in members:
            if name in seen:
                raise InvalidField(name, "given more than once")
            seen.add(name)
    return value


class _LongNumber:
    """A number that is not read, since nothing can hold it; every reader refuses it by field."""

    def __init__(self, text: str) -> None:
        self._digits = len(text)

    def __repr__(self) -> str:
        return f"a number of {self._digits} digits"


def _integer(text: str) -> int | _LongNumber:
    return int(text) if len(text) <= MAXIMUM_NUMBER_DIGITS else _LongNumber(text)


def _fraction(text: str) -> float | _LongNumber:
    return float(text) if len(text) <= MAXIMUM_NUMBER_DIGITS else _LongNumber(text)


def path_value(request: HttpRequest, name: str) -> str:
    """Decode the segment of the path that a variable binds.

    Args:
        request: the request, whose path was matched as it was sent.
        name: the variable's name.

    Raises:
        InvalidField: it is no UTF-8, or not well-formed.
    """
    sent: str = request.path_params[name]
    if "%" not in sent and sent.isascii():
        return sent
    if _BAD_ESCAPE.search(sent):
        raise InvalidField("", f"the path holds a '%' without two hexadecimal digits: {sent}")
    try:
        return unquote_to_bytes(sent.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise InvalidField("", f"the path is not UTF-8 text: {sent}") from None


def idempotency_key(request: HttpRequest) -> Metadata:
    """The metadata of a call that a client names by a key of its own.

    Args:
        request: the request, which has the header `Idempotency-Key`, see
            https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.

    Raises:
        InvalidField: it has none, several, or one that is no key.
    """
    keys = request.headers.getall(IDEMPOTENCY_KEY, [])
    if len(keys) > 1:
        raise InvalidField(IDEMPOTENCY_KEY, "given more than once")
    return Metadata({IDEMPOTENCY_KEY: check_idempotency_key(keys[0] if keys else None)})


def bind_path(body: dict[str, object], value: object, *names: str) -> None:
    """Put what the path says beside what the body says.

    Args:
        body: the members of the body.
        value: what the path says.
        names: the names that the field goes by, the first as JSON has it.

    Raises:
        InvalidField: the body says it as well.
    """
    for name in names:
        if name in body:
            raise InvalidField(name, "given by the path; leave it out of the body")
    body[names[0]] = value


class Query:
    """The query parameters of a request. Each must be taken, or `finish` refuses it."""

    __slots__ = ("_values",)

    def __init__(self, request: HttpRequest) -> None:
        """Parse the query string of `request`.

        Raises:
            InvalidField: it is no UTF-8 text.
        """
        text: bytes = request.scope["query_string"]
        self._values: dict[str, list[str]] = {}
        if text:
            if text.count(b"&") >= MAXIMUM_QUERY_PARAMETERS:
                most = f"expected at most {MAXIMUM_QUERY_PARAMETERS} parameters"
                raise InvalidField("", f"the query string has too many parts; {most}")
            if _BAD_ESCAPE.search(text.decode("latin-1")):
                detail = "the query string holds a '%' without two hexadecimal digits"
                raise InvalidField("", detail)
            try:
                pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict")
            except ValueError:
                raise InvalidField("", "the query string is not UTF-8 text") from None
            for name, value in pairs:
                self._values.setdefault(name, []).append(value)

    def many(self, read: Callable[[object], T], *names: str) -> tuple[T, ...]:
        """All values of a parameter, in order.

        Args:
            read: reads one value.
            names: the names that the parameter goes by, the first for error messages.

        Raises:
            InvalidField: a value is not what `read` expects.
        """
        values = [value for name in names for value in self._values.pop(name, ())]
        try:
            return tuple([read(value) for value in values])
        except InvalidField as error:
            raise error.under(names[0]) from None

    def one(self, read: Callable[[object], T], default: D, *names: str) -> T | D:
        """The value of a parameter, or `default` when it is absent.

        Args:
            read: reads the value.
            default: what absence stands for.
            names: the names that the parameter goes by, the first for error messages.

        Raises:
            InvalidField: the value is not what `read` expects, or there are several.
        """
        if not self._values:
            return default
        values = self.many(read, *names)
        if len(values) > 1:
            raise InvalidField(names[0], "given more than once")
        return values[0] if values else default

    def required(self, read: Callable[[object], T], *names: str) -> T:
        """The value of a parameter that must be there.

        Args:
            read: reads the value.
            names: the names that the parameter goes by, the first for error messages.

        Raises:
            InvalidField: the value is absent, not what `read` expects, or there are several.
        """
        value = self.one(read, None, *names)
        if value is None:
            raise InvalidField(names[0], "required, but absent")
        return value

    def finish(self) -> None:
        """Check that every parameter was taken.

        Raises:
            InvalidField: one was not, so the route does not know it.
        """
        for name in self._values:
            raise InvalidField(name, "unknown query parameter")
