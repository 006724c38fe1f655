"""Services of a contract and their methods: who may call them, and how."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum as PythonEnum
from typing import TYPE_CHECKING

from codegen.contract.messages import Field

if TYPE_CHECKING:
    from codegen.contract.field_types import TypeRef
    from codegen.contract.messages import Message
    from codegen.contract.problems import Location

__all__ = [
    "Access",
    "HttpBinding",
    "IdempotencyLevel",
    "Kind",
    "Method",
    "Resume",
    "Service",
]


class Kind(PythonEnum):
    """Whether a method's requests and responses are single messages or streams.

    The value is the name of what makes such calls in `seam.bus.Channel`.
    """

    UNARY = "unary"
    SERVER_STREAMING = "server_streaming"
    CLIENT_STREAMING = "client_streaming"
    BIDIRECTIONAL = "bidirectional"

    @property
    def client_streaming(self) -> bool:
        """Whether the request is a stream."""
        return self in {Kind.CLIENT_STREAMING, Kind.BIDIRECTIONAL}

    @property
    def server_streaming(self) -> bool:
        """Whether the response is a stream."""
        return self in {Kind.SERVER_STREAMING, Kind.BIDIRECTIONAL}


class IdempotencyLevel(PythonEnum):
    """What the contract says about calling a method twice."""

    UNKNOWN = "UNKNOWN"
    NO_SIDE_EFFECTS = "NO_SIDE_EFFECTS"
    IDEMPOTENT = "IDEMPOTENT"


@dataclass(frozen=True)
class HttpBinding:
    """One way to call a method over HTTP."""

    verb: str
    """`get`, `put`, `post`, `delete` or `patch`."""

    segments: tuple[str | Field, ...]
    """The path: literals and the fields that variables bind."""

    query: tuple[Field, ...]
    body: Field | None
    """The field that the body holds; None when it holds all others, or there is none."""

    has_body: bool

    suffix: str = ""
    """What follows a variable at the end of the path, such as `:cancel`."""

    unbound: tuple[Field, ...] = ()
    """The fields that neither path nor query bind, since frames of a WebSocket hold them."""

    @property
    def path_fields(self) -> tuple[Field, ...]:
        """The fields that the path binds."""
        return tuple(segment for segment in self.segments if isinstance(segment, Field))

    @property
    def shape(self) -> str:
        """The path without the names of its variables: what it is to those who match it."""
        parts = [s if isinstance(s, str) else "{}" for s in self.segments]
        return f"/{'/'.join(parts)}{self.suffix}"

    def path(self) -> str:
        """The path, with its variables in braces."""
        parts = [s if isinstance(s, str) else f"{{{s.name}}}" for s in self.segments]
        return f"/{'/'.join(parts)}{self.suffix}"


@dataclass(frozen=True)
class Resume:
    """Where a stream goes on that broke off."""

    request: Field
    """Says after which position."""

    response: Field
    """The position of a response."""

    within: tuple[Field, ...] = ()
    """The messages of the response in which that is, from the outside; a response without them has
    no position."""


@dataclass(frozen=True)
class Access:
    """Who may call a method: one of these."""

    public: bool = False
    signed_in: bool = False
    roles: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    """Services, by name."""

    @property
    def said(self) -> tuple[str, ...]:
        """Which of them the contract sets."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name))


@dataclass(frozen=True)
class Method:
    """A method of a service."""

    name: str
    attribute: str
    kind: Kind
    request: TypeRef
    response: TypeRef
    timeout: float
    idempotency: IdempotencyLevel
    idempotency_key: bool
    """Whether callers send a key that names what they want done."""
    errors: tuple[Message, ...]
    access: Access
    http: tuple[HttpBinding, ...]
    comment: str
    location: Location
    resume: Resume | None = None

    @property
    def events_resume(self) -> Resume | None:
        """Where it goes on, if it is one whose responses are server-sent events."""
        return self.resume if self.kind is Kind.SERVER_STREAMING else None


@dataclass(frozen=True)
class Service:
    """A service of a contract."""

    full_name: str
    name: str
    methods: tuple[Method, ...]
    comment: str
    location: Location
