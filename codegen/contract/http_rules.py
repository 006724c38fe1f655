"""Reads `option (google.api.http)`: which requests over HTTP call a method.

Source: google.api.HttpRule,
https://github.com/googleapis/googleapis/blob/master/google/api/http.proto. Of its path templates,
the part with literals, variables that take one segment each, and a verb at the end is supported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codegen.contract.model import (
    Field,
    HttpBinding,
    Location,
    Message,
    OneOf,
    Problem,
    Scalar,
    TypeRef,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message as ProtoMessage

__all__ = ["PROCESS_PATHS", "HttpRuleReader"]

# Of every process that serves HTTP. A test compares them with what `seam.http` serves.
PROCESS_PATHS = (
    "/healthz",
    "/metrics",
    "/readyz",
    "/schema",
    "/schema/asyncapi.json",
)

_VERBS = ("get", "put", "post", "delete", "patch")
_LITERAL = re.compile(r"[A-Za-z0-9\-._~:@!$&'()+,;=]+")
_VERB = re.compile(r"(.*\})(:[A-Za-z0-9\-._~]+)")
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?:=\*)?\}")


class _RefusedError(Exception):
    """A rule that cannot be read; the text says why."""


class HttpRuleReader:
    """Reads the HTTP rule of one method.

    Args:
        method: the method's name, for messages.
        request: the method's request.
        location: where the rule stands.
        problems: collects what is wrong.
        frames: whether further requests come in frames, so that the query need not hold all fields.
    """

    def __init__(
        self,
        method: str,
        request: Message,
        location: Location,
        problems: list[Problem],
        *,
        frames: bool = False,
    ) -> None:
        self._method = method
        self._request = request
        self._location = location
        self._problems = problems
        self._frames = frames

    def read(self, rule: ProtoMessage) -> tuple[HttpBinding, ...]:
        """The bindings of a rule, the main one first.

        Args:
            rule: a google.api.HttpRule.
        """
        bindings: list[HttpBinding] = []
        for at, each in enumerate((rule, *_additional(rule))):
            try:
                if at and _additional(each):
                    raise _RefusedError("additional_bindings must not have additional_bindings")
                bindings.append(self._binding(each))
            except _RefusedError as refused:
                self._problems.append(Problem(self._location, f"{self._method}: {refused}"))
        return tuple(bindings)

    def _binding(self, rule: ProtoMessage) -> HttpBinding:
        verb = rule.WhichOneof("pattern")
        if verb not in _VERBS:
            raise _RefusedError(f"{verb or 'no'} pattern; expected one of {', '.join(_VERBS)}")
        if getattr(rule, "response_body", ""):
            raise _RefusedError("response_body is not supported; the whole response is the body")
        template = str(getattr(rule, verb))
        # That of a literal is a part of it: `readers:forget`.
        parted = _VERB.fullmatch(template)
        path, suffix = parted.groups() if parted else (template, "")
        segments = tuple(self._segments(path))
        bound = {segment.name for segment in segments if isinstance(segment, Field)}
        body_name = str(getattr(rule, "body", ""))
        if body_name and verb in ("get", "delete"):
            raise _RefusedError(f"a {verb} has no body")
        body = self._body(body_name, bound) if body_name not in ("", "*") else None
        query: tuple[Field, ...] = ()
        unbound: tuple[Field, ...] = ()
        if self._frames:
            fields = [each for each in self._request.fields if each.name not in bound]
            query = tuple(each for each in fields if _is_text(each))
            unbound = tuple(each for each in fields if not _is_text(each))
        elif body_name != "*":
            query = tuple(self._query(bound | ({body.name} if body else set())))
        return HttpBinding(verb, segments, query, body, bool(body_name), suffix, unbound)

    def _field(self, name: str, where: str) -> Field:
        for member in self._request.members:
            if isinstance(member, OneOf) and any(case.name == name for case in member.cases):
                raise _RefusedError(
                    f"{where} binds {name}, a case of a oneof, which is not supported"
                )
            if isinstance(member, Field) and member.name == name:
                return member
        raise _RefusedError(f"{where} binds {name}, which {self._request.full_name} does not have")

    def _segments(self, template: str) -> Iterator[str | Field]:
        if not template.startswith("/") or (template.endswith("/") and template != "/"):
            raise _RefusedError(
                f"path {template!r}; expected one that begins with / and does not end in it"
            )
        if template in PROCESS_PATHS:
            raise _RefusedError(f"path {template!r} is answered by the process itself")
        bound: set[str] = set()
        for part in template[1:].split("/") if template != "/" else ():
            variable = _VARIABLE.fullmatch(part)
            if variable is None:
                if not _LITERAL.fullmatch(part):
                    supported = "expected literals and variables of one segment, such as {sku}"
                    raise _RefusedError(f"path {template!r} has the segment {part!r}; {supported}")
                if part.startswith(":"):
                    raise _RefusedError(f"path {template!r} has a verb that follows nothing")
                if part in (".", ".."):
                    raise _RefusedError(f"path {template!r} has {part!r}, which clients resolve")
                yield part
                continue
            field = self._field(variable.group(1), "the path")
            if field.name in bound:
                raise _RefusedError(f"path {template!r} binds {field.name} twice")
            bound.add(field.name)
            if not field.is_single or not _is_scalar(field):
                raise _RefusedError(
                    f"the path binds {field.name}, which is no single scalar or enum"
                )
            yield field

    def _body(self, name: str, bound: set[str]) -> Field:
        field = self._field(name, "the body")
        if name in bound:
            raise _RefusedError(f"body {name!r} is also bound by the path")
        if not field.is_single or not isinstance(field.type, TypeRef) or field.type.is_enum:
            raise _RefusedError(f"body {name!r} is no single message; expected one, or '*'")
        return field

    def _query(self, bound: set[str]) -> Iterator[Field]:
        for member in self._request.members:
            if isinstance(member, OneOf):
                names = ", ".join(case.name for case in member.cases)
                raise _RefusedError(f"the query would bind the oneof {member.name} ({names})")
            if member.name in bound:
                continue
            if member.map is not None:
                raise _RefusedError(
                    f"the query would bind {member.name}, a map; put it into the body"
                )
            if isinstance(member.type, TypeRef) and not member.type.is_enum:
                advice = "put it into the body"
                raise _RefusedError(f"the query would bind {member.name}, a message; {advice}")
            yield member


def _additional(rule: ProtoMessage) -> tuple[ProtoMessage, ...]:
    return tuple(getattr(rule, "additional_bindings", None) or ())


def _is_text(field: Field) -> bool:
    """Whether a query can hold a field."""
    return field.map is None and (not isinstance(field.type, TypeRef) or field.type.is_enum)


def _is_scalar(field: Field) -> bool:
    if isinstance(field.type, TypeRef):
        return field.type.is_enum
    return isinstance(field.type, Scalar)
