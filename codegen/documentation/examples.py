"""Examples of messages as ProtoJSON, and of requests as a command.

What a comment gives as an example is taken (``such as `EUR` ``), and otherwise the least that the
field's rules accept. The same contract gives the same examples.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from codegen.contract.model import (
    Enum,
    Field,
    Kind,
    Message,
    OneOf,
    Presence,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from codegen.contract.model import HttpBinding, Method, Rules
    from codegen.openapi.schemas import Json

__all__ = ["example_of", "request_command"]

_SUCH_AS: Final = re.compile(r"such\s+as\s+[`\"]([^`\"\n]+)[`\"]")

_WELL_KNOWN: Final[Mapping[WellKnown, str]] = {
    WellKnown.TIMESTAMP: "2026-01-31T09:30:00Z",
    WellKnown.DURATION: "1.500s",
    WellKnown.FIELD_MASK: "",
}

_NAME_OF_A_PAGE: Final = "page_token"
"""Names a page by what another page has given; the first one is empty."""


def example_of(message: Message, types: Mapping[str, Message | Enum]) -> dict[str, Json]:
    """An example of a message.

    Args:
        message: the message.
        types: the types of the contract and of those that it imports, by full name.
    """
    return _object(_chosen(message), types, (message.full_name,))


def request_command(
    method: Method, binding: HttpBinding, types: Mapping[str, Message | Enum]
) -> str:
    """How to call a method with curl, from a shell that knows `$shop` and, if need be, `$token`.

    For a WebSocket it is the expression in JavaScript.

    Args:
        method: a method that clients may call.
        binding: the route to take.
        types: the types of the contract and of those that it imports, by full name.
    """
    request = types[method.request.full_name]
    assert isinstance(request, Message)
    parts = [
        quote(str(_single(segment, types, ())), safe="") if isinstance(segment, Field) else segment
        for segment in binding.segments
    ]
    url = f"$shop/{'/'.join(parts)}{binding.suffix}"
    asked = [(each.json_name, _query_text(each, types)) for each in binding.query]
    query = urlencode([(name, text) for name, text in asked if text])
    if method.kind is Kind.BIDIRECTIONAL:
        return f'new WebSocket(`{url.replace("$shop", "${shop}")}`, ["bearer", token])'
    words = [f'"{url}?{query}"' if query else f'"{url}"']
    if binding.verb != ("post" if binding.has_body else "get"):
        words.insert(0, f"-X {binding.verb.upper()}")
    if method.kind is Kind.SERVER_STREAMING:
        words.insert(0, "-N")
    if not method.access.public:
        words.append('-H "Authorization: Bearer $token"')
    if method.idempotency_key:
        words.append("-H 'Idempotency-Key: my first'")
    if binding.has_body:
        of = request
        if binding.body is not None:
            assert isinstance(binding.body.type, TypeRef)
            found = types[binding.body.type.full_name]
            assert isinstance(found, Message)
            of = found
        bound = {field.name for field in binding.path_fields} if binding.body is None else set()
        fields = [field for field in _chosen(of) if field.name not in bound]
        body = _object(fields, types, (of.full_name,))
        words.append(f"--json {shlex.quote(json.dumps(body, ensure_ascii=False))}")
    return " ".join(["curl", *words])


def _chosen(message: Message) -> list[Field]:
    """The fields of an example: of a oneof, its first case."""
    return [each.cases[0] if isinstance(each, OneOf) else each for each in message.members]


def _object(
    fields: Iterable[Field], types: Mapping[str, Message | Enum], outer: tuple[str, ...]
) -> dict[str, Json]:
    """The fields of an example; what would hold itself is left out.

    Args:
        fields: the fields.
        types: all types by full name.
        outer: the messages that are being written.
    """
    found: dict[str, Json] = {}
    for field in fields:
        recursive = isinstance(field.type, TypeRef) and field.type.full_name in outer
        if recursive and field.presence is not Presence.REQUIRED:
            continue
        rules = field.rules
        if field.map is not None:
            found[field.json_name] = {_key(field.map.key): _single(field, types, outer)}
        elif field.repeated:
            count = max(1, (rules.min_items if rules else None) or 1)
            found[field.json_name] = [_single(field, types, outer) for _ in range(count)]
        else:
            found[field.json_name] = _single(field, types, outer)
    return found


def _single(field: Field, types: Mapping[str, Message | Enum], outer: tuple[str, ...]) -> Json:
    """One value of a field."""
    if isinstance(field.type, WellKnown):
        return _WELL_KNOWN[field.type]
    if isinstance(field.type, TypeRef):
        found = types.get(field.type.full_name)
        if isinstance(found, Enum):
            return found.values[min(1, len(found.values) - 1)].name
        if found is None:
            return {}
        return _object(_chosen(found), types, (*outer, found.full_name))
    scalar = field.type.scalar if isinstance(field.type, Wrapper) else field.type
    return _scalar(field, scalar)


def _scalar(field: Field, scalar: Scalar) -> Json:
    rules = field.rules
    if scalar is Scalar.BOOL:
        return True
    if scalar is Scalar.STRING:
        return _text(field, rules)
    if scalar is Scalar.BYTES:
        return "AAAA" * max(1, -(-((rules.min_length if rules else None) or 0) // 3))
    low = rules.minimum if rules else None
    high = rules.maximum if rules else None
    number = 1 if low is None else low
    if high is not None and number > high:
        number = high
    return str(number) if scalar.json_kind in {"int64", "uint64"} else number


def _text(field: Field, rules: Rules | None) -> str:
    if field.name == _NAME_OF_A_PAGE:
        return ""
    said = _SUCH_AS.search(field.comment)
    if said is not None and _is_accepted(said.group(1), rules):
        return said.group(1)
    if rules is not None and rules.pattern:
        # The least that matches may be nothing; what it is otherwise, the pattern says best.
        return "" if re.fullmatch(rules.pattern, "") else "…"
    text = field.name.replace("_", "-")
    if rules is not None:
        text = text.ljust(rules.min_length or 0, "x")[: rules.max_length]
    return text


def _is_accepted(text: str, rules: Rules | None) -> bool:
    if rules is None:
        return True
    fits = (rules.min_length or 0) <= len(text) and (
        rules.max_length is None or len(text) <= rules.max_length
    )
    return fits and (not rules.pattern or re.fullmatch(rules.pattern, text) is not None)


def _key(scalar: Scalar) -> str:
    if scalar is Scalar.BOOL:
        return "true"
    return "key" if scalar is Scalar.STRING else "1"


def _query_text(field: Field, types: Mapping[str, Message | Enum]) -> str:
    value = _single(field, types, ())
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)
