"""What generated routes read requests with, and answer with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import MediaType, Request, Response

from seam.contract.errors import InvalidField

HttpRequest = Request[Any, Any, Any]

D = TypeVar("D")
T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode


def reply(value: object) -> Response[bytes]:
    """Answer a request with a ProtoJSON value."""
    return Response(_encode(value), media_type=MediaType.JSON)


async def read_json(request: HttpRequest) -> object:
    """The JSON value of a request's body; an empty body is an empty object.

    Raises:
        InvalidField: the body is no JSON, or names a member twice.
    """
    body = await request.body()
    if not body:
        return {}
    try:
        return json.loads(body, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidField("", f"the body is not valid JSON: {error.msg} at {where}") from None
    except UnicodeDecodeError:
        raise InvalidField("", "the body is not valid JSON: expected UTF-8 text") from None
    except RecursionError:
        raise InvalidField("", "the body is nested too deeply") from None


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidField(twice, "given more than once")
    return value


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
        """See to it that every parameter was taken.

        Raises:
            InvalidField: one was not, so the route does not know it.
        """
        for name in self._values:
            raise InvalidField(name, "unknown query parameter")
