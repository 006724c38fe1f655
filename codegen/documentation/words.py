"""What a contract says of fields and methods, in a few words each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.model import (
    IdempotencyLevel,
    Kind,
    Presence,
    Scalar,
    WellKnown,
    Wrapper,
)

if TYPE_CHECKING:
    from codegen.contract.model import Access, Field, FieldType, HttpBinding, Method, Rules

__all__ = [
    "access_words",
    "idempotency_words",
    "presence_words",
    "route_words",
    "rule_words",
    "stream_words",
    "type_words",
]


def type_words(field: Field) -> tuple[str, str, str]:
    """A field's type: what stands before a name that can be looked up, the name, and the rest.

    Returns:
        `("repeated ", "orders.v1.OrderLine", "")`; a scalar is all in the first.
    """
    before, after = ("repeated ", "") if field.repeated else ("", "")
    if field.map is not None:
        before, after = f"map of {field.map.key.value} to ", ""
    name = _type_name(field.type)
    if "." in name and not name.startswith("google."):
        return before, name, after
    return before + name, "", after


def _type_name(type_: FieldType) -> str:
    if isinstance(type_, Scalar):
        return type_.value
    if isinstance(type_, WellKnown):
        name: str = type_.value
        return name.replace("_", " ")
    if isinstance(type_, Wrapper):
        return f"{type_.scalar.value} or nothing"
    return type_.full_name


def presence_words(field: Field) -> str:
    """Whether it may be absent; empty where absent means the type's default."""
    if field.case_class:
        return "one of these"
    if field.presence is Presence.ALWAYS:
        return ""
    words: str = field.presence.value
    return words


def rule_words(rules: Rules | None) -> list[str]:
    """The rules of a field, one text each."""
    if rules is None:
        return []
    ranges = (
        (rules.min_length, rules.max_length, "long"),
        (rules.minimum, rules.maximum, "in value"),
        (rules.min_items, rules.max_items, "of them"),
    )
    words = [_range(low, high, what) for low, high, what in ranges if (low, high) != (None, None)]
    return words + ([f"matches {rules.pattern}"] if rules.pattern else [])


def _range(low: float | None, high: float | None, what: str) -> str:
    if low is None:
        return f"at most {high:,} {what}"
    if high is None:
        return f"at least {low:,} {what}"
    return f"{low:,} to {high:,} {what}"


def access_words(access: Access) -> str:
    """Who may call."""
    if access.public:
        return "everyone"
    if access.signed_in:
        return "who is signed in"
    if access.roles:
        return f"who is signed in as {' or '.join(access.roles)}"
    return f"the service {' or '.join(access.callers)}"


def idempotency_words(method: Method) -> str:
    """Whether a call may be made again."""
    words = {
        IdempotencyLevel.NO_SIDE_EFFECTS: "changes nothing",
        IdempotencyLevel.IDEMPOTENT: "may be called again",
        IdempotencyLevel.UNKNOWN: "is called once",
    }[method.idempotency]
    return f"{words}, with a key of the caller's" if method.idempotency_key else words


def stream_words(method: Method) -> str:
    """What streams; empty where nothing does."""
    return {
        Kind.UNARY: "",
        Kind.SERVER_STREAMING: "a stream of answers: server-sent events over HTTP",
        Kind.CLIENT_STREAMING: "a stream of requests",
        Kind.BIDIRECTIONAL: "streams both ways: a WebSocket over HTTP",
    }[method.kind]


def route_words(binding: HttpBinding) -> str:
    """Verb and path of a route, such as `GET /v1/orders/{order_id}`."""
    return f"{binding.verb.upper()} {binding.path()}"
