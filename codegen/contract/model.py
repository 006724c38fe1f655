"""What a contract says, as typed values: the model that every generator reads.

`codegen.contract.loading` builds it from Protocol Buffers descriptors and refuses what cannot be
generated, so that a generator that holds a model need not check anything again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum as PythonEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Access",
    "ContractFile",
    "Enum",
    "EnumValue",
    "ErrorSpec",
    "EventSpec",
    "Field",
    "FieldType",
    "HttpBinding",
    "IdempotencyLevel",
    "Location",
    "MapType",
    "Member",
    "Message",
    "Method",
    "OneOf",
    "Presence",
    "Problem",
    "RefusedContractError",
    "Resume",
    "Rules",
    "Scalar",
    "Service",
    "TypeRef",
    "WellKnown",
    "Wrapper",
]


@dataclass(frozen=True, order=True)
class Location:
    """A place in a contract; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """Why nothing can be generated from a contract, and where."""

    location: Location
    reason: str

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"


class RefusedContractError(Exception):
    """Contracts from which nothing can be generated.

    Args:
        problems: what is wrong, and where.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Scalar(PythonEnum):
    """The scalar types; the value is the type's name in a contract."""

    DOUBLE = "double"
    FLOAT = "float"
    INT64 = "int64"
    UINT64 = "uint64"
    INT32 = "int32"
    FIXED64 = "fixed64"
    FIXED32 = "fixed32"
    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"
    UINT32 = "uint32"
    SFIXED32 = "sfixed32"
    SFIXED64 = "sfixed64"
    SINT32 = "sint32"
    SINT64 = "sint64"

    @property
    def python(self) -> str:
        """The Python type that holds the scalar."""
        named = {"double": "float", "float": "float", "bool": "bool", "string": "str"}
        return "bytes" if self is Scalar.BYTES else named.get(self.value, "int")

    @property
    def default(self) -> str:
        """The value of an absent field, as a Python literal."""
        defaults = {"str": '""', "bytes": 'b""', "bool": "False", "float": "0.0"}
        return defaults.get(self.python, "0")

    @property
    def json_kind(self) -> str:
        """Which of the kinds that ProtoJSON tells apart it is, such as `int32` for `sint32`."""
        kinds = {
            "fixed64": "uint64",
            "fixed32": "uint32",
            "sfixed32": "int32",
            "sfixed64": "int64",
            "sint32": "int32",
            "sint64": "int64",
        }
        return kinds.get(self.value, self.value)


class WellKnown(PythonEnum):
    """The well-known messages that have a Python type of their own."""

    TIMESTAMP = "timestamp"
    DURATION = "duration"
    FIELD_MASK = "field_mask"

    @property
    def python(self) -> str:
        """The Python type that holds the message."""
        types = {WellKnown.TIMESTAMP: "datetime", WellKnown.DURATION: "timedelta"}
        return types.get(self, "tuple[str, ...]")


@dataclass(frozen=True)
class Wrapper:
    """A message of google/protobuf/wrappers.proto: a scalar that can be absent."""

    scalar: Scalar


@dataclass(frozen=True)
class TypeRef:
    """A message or enum by its full name, and where its record is generated."""

    full_name: str
    name: str
    module: str
    is_enum: bool


FieldType: TypeAlias = Scalar | WellKnown | Wrapper | TypeRef
"""The type of a field's single values."""


@dataclass(frozen=True)
class MapType:
    """The key of a map field; the values' type is the field's."""

    key: Scalar


class Presence(PythonEnum):
    """Whether a field can be absent."""

    ALWAYS = "always"
    """It has no presence: absent means the default."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True)
class Rules:
    """Which values a field accepts, as `(contract.v1.rules)` says; None and "" say nothing.

    Those of a value hold for each single value of a repeated field.
    """

    min_length: int | None = None
    """Characters of a string, bytes of bytes."""

    max_length: int | None = None
    pattern: str = ""
    """What a whole string matches."""

    minimum: float | None = None
    maximum: float | None = None
    """An `int` where the field holds integers."""

    min_items: int | None = None
    max_items: int | None = None


@dataclass(frozen=True)
class Field:
    """A field of a message, or one case of a oneof."""

    name: str
    attribute: str
    json_name: str
    number: int
    type: FieldType
    comment: str
    location: Location
    presence: Presence = Presence.ALWAYS
    repeated: bool = False
    map: MapType | None = None
    case_class: str = ""
    """The class that wraps the value, for a case of a oneof."""

    rules: Rules | None = None

    @property
    def is_single(self) -> bool:
        """Whether the field is neither repeated nor a map."""
        return not self.repeated and self.map is None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that ProtoJSON accepts: lowerCamelCase, and the contract's own."""
        return tuple(dict.fromkeys((self.json_name, self.name)))


@dataclass(frozen=True)
class OneOf:
    """A oneof: an attribute that holds one of several cases, or None."""

    name: str
    attribute: str
    alias: str
    cases: tuple[Field, ...]
    comment: str
    location: Location


Member: TypeAlias = Field | OneOf
"""What becomes one attribute of a record."""


@dataclass(frozen=True)
class ErrorSpec:
    """What `(contract.v1.error)` says of an error message."""

    code: str
    text: str
    retry_after: Field | None = None
    """The integer that says after how many seconds to ask again."""


@dataclass(frozen=True)
class EventSpec:
    """What `(contract.v1.event)` says of an event message."""

    key: Field
    """The string that is always there whose value orders events."""

    subscribers: tuple[str, ...]
    """Services that may subscribe, by name."""

    location: Location
    """Where the option stands."""


@dataclass(frozen=True)
class Message:
    """A message of a contract."""

    full_name: str
    name: str
    proto_path: str
    """The name in the `_pb2` module, such as `Outer.Inner`."""

    module: str
    members: tuple[Member, ...]
    comment: str
    location: Location
    error: ErrorSpec | None = None
    event: EventSpec | None = None
    fallible: bool = False
    """Whether a well-formed message can still be no valid record."""

    ruled: bool = False
    """Whether a field of it, or of what it holds at any depth, has rules."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields outside of oneofs."""
        return tuple(member for member in self.members if isinstance(member, Field))

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """All fields, those of oneofs included, in the contract's order."""
        found: list[Field] = []
        for member in self.members:
            found.extend(member.cases if isinstance(member, OneOf) else [member])
        return tuple(found)


@dataclass(frozen=True)
class EnumValue:
    """One value of an enum."""

    name: str
    attribute: str
    number: int
    comment: str
    location: Location


@dataclass(frozen=True)
class Enum:
    """An enum of a contract."""

    full_name: str
    name: str
    module: str
    values: tuple[EnumValue, ...]
    comment: str
    location: Location


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


@dataclass(frozen=True)
class ContractFile:
    """One `.proto` file."""

    path: str
    module: str
    pb2_package: str
    pb2_name: str
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    services: tuple[Service, ...]
    comment: str
    types: dict[str, Message | Enum] = field(repr=False, compare=False)
    """Every type in the import closure by full name."""

    @property
    def events(self) -> tuple[Message, ...]:
        """The messages that are events."""
        return tuple(message for message in self.messages if message.event is not None)
