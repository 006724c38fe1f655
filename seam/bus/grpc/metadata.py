"""What travels with a call, as gRPC metadata.

Trace and baggage use the keys of the W3C, so that services which do not know this library can take
part: https://www.w3.org/TR/trace-context and https://www.w3.org/TR/baggage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from seam.call.context import (
    CallContext,
    check_baggage,
    check_traceparent,
    check_tracestate,
)
from seam.call.metadata import EMPTY, MetadataValue
from seam.call.principal import claimed
from seam.contract.errors import InvalidField

T = TypeVar("T")

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
BAGGAGE: Final = "baggage"
AUTHORIZATION: Final = "authorization"
CALLER: Final = "seam-caller"

BEARER: Final = "Bearer "
"""Source: https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""

Pairs = tuple[tuple[str, MetadataValue], ...]

_OURS: Final = frozenset({TRACEPARENT, TRACESTATE, BAGGAGE, AUTHORIZATION, CALLER, "user-agent"})


def to_wire(call: CallContext) -> Pairs | None:
    """The metadata of a request; None when there is nothing to say."""
    token, caller = call.principal.token, call.caller
    if not (call.metadata or call.traceparent or token or caller or call.baggage):
        return None
    pairs = list(call.metadata.items())
    if call.traceparent:
        pairs.append((TRACEPARENT, call.traceparent))
        if call.tracestate:
            pairs.append((TRACESTATE, call.tracestate))
    if token:
        pairs.append((AUTHORIZATION, BEARER + token))
    if caller:
        pairs.append((CALLER, caller))
    if call.baggage:
        text = ",".join(f"{name}={quote(value)}" for name, value in call.baggage.items())
        pairs.append((BAGGAGE, text))
    return tuple(pairs)


def from_wire(received: Iterable[tuple[str, MetadataValue]]) -> Mapping[str, object]:
    """The fields of a `CallContext` that the metadata of a request says something about."""
    fields: dict[str, object] = {}
    metadata: dict[str, MetadataValue] = {}
    tokens: list[str] = []
    states: list[str] = []
    for key, value in received:
        # What another program says amiss is not passed on: W3C's texts ask for no more.
        if key == TRACEPARENT and isinstance(value, str):
            fields.update(_accepted("traceparent", value, check_traceparent))
        elif key == TRACESTATE and isinstance(value, str):
            states.append(value)
        elif key == AUTHORIZATION and isinstance(value, str):
            # What is no token is handed on as one, and refused as one: who sends it does not ask as
            # nobody.
            tokens.append(value.removeprefix(BEARER))
        elif key == CALLER and isinstance(value, str):
            fields["caller"] = value
        elif key == BAGGAGE and isinstance(value, str):
            fields.update(_accepted("baggage", _baggage(value), check_baggage))
        elif key != "user-agent" and not key.startswith("grpc-"):
            metadata[key] = value
    if tokens:
        fields["principal"] = claimed(", ".join(tokens))
    if states and TRACEPARENT in fields:
        fields.update(_accepted("tracestate", ",".join(states), check_tracestate))
    if metadata:
        fields["metadata"] = MappingProxyType(metadata)
    return fields


def answered(received: Iterable[tuple[str, MetadataValue]] | None) -> dict[str, MetadataValue]:
    """What a callee said beside its answer, of all the metadata that came with it."""
    return {
        key: value
        for key, value in received or ()
        if key not in _OURS and not key.startswith("grpc-")
    }


def _accepted(name: str, value: T, check: Callable[[T], None]) -> dict[str, object]:
    try:
        check(value)
    except InvalidField:
        return {}
    return {name: value}


def _baggage(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for member in text.split(","):
        # Properties, which follow a semicolon, are of no use to us.
        name, equals, value = member.partition(";")[0].partition("=")
        if equals:
            found[name.strip()] = unquote(value.strip())
    return MappingProxyType(found) if found else EMPTY
