"""Makes up contracts that use every kind of field and method, with names that ask for trouble.

A contract that is made up so is often refused, as it should be: two things would get one name, or a
name is Python's own. Then what stands at the place that the refusal names is called differently,
until the contract is accepted. So refusals are tried as well: one that names the wrong place, or is
missing, is found out.
"""

from __future__ import annotations

import builtins
import keyword
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Draft", "draft_contracts"]

SCALARS = (
    "double",
    "float",
    "int64",
    "uint64",
    "int32",
    "fixed64",
    "fixed32",
    "bool",
    "string",
    "bytes",
    "uint32",
    "sfixed32",
    "sfixed64",
    "sint32",
    "sint64",
)
_KEYS = [scalar for scalar in SCALARS if scalar not in ("double", "float", "bytes")]
_WELL_KNOWN = [
    f".google.protobuf.{name}"
    for name in (
        "Timestamp",
        "Duration",
        "Empty",
        "FieldMask",
        "DoubleValue",
        "FloatValue",
        "Int64Value",
        "UInt64Value",
        "Int32Value",
        "UInt32Value",
        "BoolValue",
        "StringValue",
        "BytesValue",
    )
]
_IMPORTS = ("timestamp", "duration", "empty", "field_mask", "wrappers")

# What Python knows by name.
_PYTHON = [
    *keyword.kwlist,
    *keyword.softkwlist,
    *(name for name in dir(builtins) if not name.startswith("_")),
    *("self", "cls", "mro", "name", "names", "value", "values", "real", "imag", "bit_count"),
    *("datetime", "timedelta", "annotations", "typing", "asyncio", "enum", "register"),
    *("_", "__", "_x", "__x", "x_", "x__", "_missing_", "__init__", "__class__", "__slots__"),
]

# What generated code calls something, and what it imports.
_OURS = [
    *("message", "record", "item", "key", "case", "other", "depth", "error", "json_name"),
    *("json_value", "channel", "handler", "request", "requests", "timeout", "metadata", "api"),
    *("query", "body", "stub", "stub_", "mock", "is_known", "path", "segment_1", "item_2"),
    *("Record", "OpenEnum", "ContractError", "Code", "Codec", "EnumNumbers", "Kind", "Any"),
    *("Final", "Protocol", "TypeAlias", "Mapping", "Awaitable", "Coroutine", "AsyncIterator"),
    *("Channel", "Registration", "Metadata", "MethodDescriptor", "ServiceDescriptor", "Empty"),
    *("Access", "frozenset", "re", "_PATTERN_1", "check_tuple", "order_check", "OrderCheck"),
    *("FieldMask", "Router", "Response", "HttpApi", "HttpRequest", "Query", "DOCUMENT"),
    *("MockMethod", "ResponseStream", "InvalidField", "JsonValue", "Problem", "Wire"),
    *("get", "put", "post", "delete", "patch", "reply", "read_json", "read_string", "read_list"),
    *("absent", "wrong_case", "freeze_mappings", "values_pb2", "api_pb2", "seam", "litestar"),
    *("values_wire", "api_json", "google", "DESCRIPTOR", "SerializeToString", "HasField"),
    *("Clear", "SetInParent", "WhichOneof", "x_FIELD_NUMBER", "Extensions", "message_key"),
]

# Names that come close to each other once they are put together or written differently.
_CLOSE = [
    *("Order", "OrderEvents", "Events", "order", "ORDER", "order_events", "orderEvents"),
    *("OrderHandler", "OrderStub", "OrderError", "OrderFill", "OrderNumbers", "OrderNames"),
    *("Cart", "CartItem", "ItemGet", "Get", "Item", "CartItemGet", "HTTPRule", "HttpRule"),
    *("a", "A", "aB", "AB", "a_b", "a_B", "A_b", "a__b", "a1", "a_1", "a1b", "A1_B2", "b_"),
    *("ToJson", "to_json", "FromProto", "Numbers", "Fill", "thing", "Thing", "thing_2"),
    *("long_" * 15 + "name", "Long" * 20, "x9", "http2_port", "i18n", "sku", "total_price"),
]

_CALM = ["sku", "title", "price_each", "owner", "created", "note", "state", "origin", "weight"]

# Roles and services.
_CALLERS = ["agent", "shopping_cart", "orders2", "a"]

# Some that texts often match, and some that they seldom do.
_PATTERNS = [
    *("[^@]*", "[a-z]*", "(?:[a-cX-Z ]+(?:_[a-z]+)*)?", "[^<>]{0,3}", "(?:a|b[0-9])?"),
    *("[0-9]{3,}", r"\\.(?:-[a-z])?", "[€ß-ä]*"),
]

_LITERALS = ["v1", "things", "a:b", "a.b", "x-y", "~", "a=b", "a,b", "(x)", "$", "@me", "it's", "!"]


@dataclass(eq=False)
class Name:
    """Something that has a name, or a text that can be replaced by a harmless one."""

    text: str
    calm: str

    def __str__(self) -> str:
        return self.text


@dataclass(eq=False)
class Type:
    """A message or an enum."""

    name: Name
    around: Type | str
    is_enum: bool

    def __str__(self) -> str:
        outer = self.around if isinstance(self.around, Type) else f".{self.around}"
        return f"{outer}.{self.name}"


@dataclass(eq=False)
class Use:
    """A type where a field uses it."""

    type: Type | str

    def __str__(self) -> str:
        return str(self.type)


@dataclass(eq=False)
class Undotted:
    """A type by its full name, as texts in options have it."""

    type: Type

    def __str__(self) -> str:
        return str(self.type).removeprefix(".")


_Part = str | Name | Use | Type | Undotted


@dataclass
class Draft:
    """Contracts that are not accepted yet.

    Attributes:
        files: the lines of each file, in parts.
    """

    files: dict[str, list[tuple[_Part, ...]]] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """Write the files."""
        return {
            path: "".join("".join(map(str, line)) + "\n" for line in lines)
            for path, lines in self.files.items()
        }

    def mend(self, path: str, line: int) -> bool:
        """Give what stands on a line names that nobody minds.

        Args:
            path: the file.
            line: the line, from 1.

        Returns:
            Whether something there could be called differently.
        """
        parts = self.files[path][line - 1]
        wild = [part for part in parts if isinstance(part, Name) and part.text != part.calm]
        uses = [part for part in parts if isinstance(part, Use) and part.type != "int32"]
        for name in wild:
            name.text = name.calm
        if not wild:
            for use in uses:
                use.type = "int32"
        return bool(wild or uses)

    def find(self, path: str, name: str) -> list[int]:
        """List the lines on which something has a name."""
        return [
            at
            for at, parts in enumerate(self.files[path], 1)
            if any(isinstance(part, Name) and part.text == name for part in parts)
        ]


def draft_contracts(seed: int) -> Draft:
    """Make up some files that import each other.

    Args:
        seed: the same seed gives the same files.
    """
    return _Writer(random.Random(seed), f"made_up_{seed}").draft()  # noqa: S311 (not a secret)


class _Writer:
    """Writes the files of one draft."""

    def __init__(self, rng: random.Random, folder: str) -> None:
        self._rng = rng
        self._folder = folder
        self._draft = Draft()
        self._count = 0
        self._types: list[Type] = []
        self._messages: list[Type] = []
        self._errors: list[Type] = []
        self._lines: list[tuple[_Part, ...]] = []

    def draft(self) -> Draft:
        """Write two files with the same last names, and one that imports them."""
        first = self._file("one/v1/values.proto", (), services=0, events=3)
        second = self._file("two/v1/values.proto", (first,), services=1)
        self._file("two/v1/api.proto", (first, second), services=3)
        return self._draft

    def _file(self, name: str, imports: Sequence[str], services: int, events: int = 0) -> str:
        path = f"{self._folder}/{name}"
        package = path.rpartition("/")[0].replace("/", ".")
        self._lines = self._draft.files[path] = []
        self._line('syntax = "proto3";')
        self._line(f"package {package};")
        for each in ("contract/v1/options", "google/api/annotations", "google/api/field_behavior"):
            self._line(f'import "{each}.proto";')
        for each in _IMPORTS:
            self._line(f'import "google/protobuf/{each}.proto";')
        for each in imports:
            self._line(f'import "{each}";')
        self._declare(package)
        for _ in range(events):
            self._event()
        for _ in range(services):
            self._service(package, path.endswith("/api.proto"))
        return path

    def _line(self, *parts: _Part) -> None:
        self._lines.append(parts)

    # Names

    def _name(self, style: str) -> Name:
        """A name.

        Args:
            style: `Thing`, `thing` or `THING`: how a harmless name is written.
        """
        self._count += 1
        calm = {"Thing": f"Calm{self._count}", "thing": f"calm{self._count}"}
        return Name(self._word(style), calm.get(style, f"CALM_{self._count}"))

    def _word(self, style: str) -> str:
        rng = self._rng
        word = rng.choice(rng.choice((_PYTHON, _OURS, _CLOSE, _CALM)))
        match rng.randint(0, 5):
            case 0:
                return word
            case 1:
                return word.upper()
            case 2:
                return f"{_camel(word)}{_camel(rng.choice(_CLOSE))}"
            case 3:
                return f"{word}_{rng.choice((*_CLOSE, '2', '_'))}"
            case _:
                styles = {"Thing": _camel(word), "thing": word.lower(), "THING": word.upper()}
                return styles[style]

    # Types

    def _declare(self, package: str) -> None:
        rng = self._rng
        enums = [Type(self._name("Thing"), package, is_enum=True) for _ in range(2)]
        messages = [Type(self._name("Thing"), package, is_enum=False) for _ in range(4)]
        errors = [Type(self._name("Thing"), package, is_enum=False) for _ in range(2)]
        inner: dict[Type, list[Type]] = {}
        for message in messages:
            self._nest(message, inner, depth=rng.randint(0, 3))
        nested = [each for types in inner.values() for each in types]
        self._types += [*enums, *messages, *nested]
        for enum in enums:
            self._enum(enum)
        for message in messages:
            self._message(message, inner)
        for error in errors:
            self._line("message ", error.name, " {")
            self._line('  option (.contract.v1.error) = {code: ABORTED text: "It {failed}."};')
            self._line("  string failed = 1000;")
            self._fields(rng.randint(0, 3))
            self._line("}")
        self._errors = errors
        self._messages = [each for each in (*messages, *nested) if not each.is_enum]

    def _nest(self, message: Type, inner: dict[Type, list[Type]], depth: int) -> None:
        inner[message] = []
        if not depth:
            return
        for _ in range(self._rng.randint(1, 2)):
            nested = Type(self._name("Thing"), message, is_enum=self._rng.random() < 0.4)
            inner[message].append(nested)
            if not nested.is_enum:
                self._nest(nested, inner, depth - 1)

    def _enum(self, enum: Type) -> None:
        self._line("enum ", enum.name, " {")
        self._line("  option allow_alias = true;")
        # Often with the enum's name in front, as the style guides ask; and one is not.
        prefix = str(enum.name).upper()
        for at, number in enumerate((0, 1, -5, 7, 1)):
            name = self._name("THING")
            if self._rng.random() < 0.5:
                name.text = f"{prefix}_{name.text}"
            self._line("  ", name, f" = {number};" + ("  // The first." if at == 0 else ""))
        self._line("}")

    def _message(self, message: Type, inner: dict[Type, list[Type]]) -> None:
        self._line('// Is made up: a "quoted" word, a back\\slash, """, and {braces}.')
        self._line("message ", message.name, " {")
        for each in inner[message]:
            if each.is_enum:
                self._enum(each)
            else:
                self._message(each, inner)
        self._fields(self._rng.randint(2, 7))
        self._line("}")

    def _type(self) -> Use:
        if self._types and self._rng.random() < 0.5:
            return Use(self._rng.choice(self._types))
        return Use(self._rng.choice((*SCALARS, *_WELL_KNOWN)))

    def _fields(self, count: int) -> None:
        rng = self._rng
        numbers = iter(rng.sample(range(1, 900), 40))
        for _ in range(count):
            number = next(numbers)
            match rng.randint(0, 6):
                case 0 | 1:
                    self._field("  repeated ", self._type(), number)
                case 2:
                    key = rng.choice(_KEYS)
                    self._field(f"  map<{key}, ", self._type(), number, after="> ")
                case 3:
                    self._field("  optional ", self._type(), number)
                case 4:
                    type_ = Use(rng.choice([each for each in self._types if each.is_enum]))
                    required = " [(.google.api.field_behavior) = REQUIRED]"
                    self._field("  optional ", type_, number, options=required)
                case 5:
                    json_name = self._json_name()
                    name = self._name("thing")
                    self._line("  ", self._type(), " ", name, f" = {number} [", *json_name, "];")
                case _:
                    self._field("  ", self._type(), number)
        for _ in range(rng.randint(0, 2)):
            self._line("  oneof ", self._name("thing"), " {")
            for _ in range(rng.randint(1, 4)):
                self._field("    ", self._type(), next(numbers))
            self._line("  }")

    def _field(
        self, before: str, type_: Use, number: int, *, after: str = " ", options: str = ""
    ) -> None:
        name = self._name("thing")
        several = "map" if "map<" in before else "repeated" if "repeated" in before else ""
        rules: Name | str = "" if options else self._rules(str(type_), several)
        self._line(before, type_, after, name, f" = {number}{options}", rules, ";  // What it is.")

    def _rules(self, type_: str, several: str) -> Name | str:
        """The rules of a field, which go away when something is wrong with the field."""
        rng = self._rng
        if rng.random() < 0.5:
            return ""
        kind = type_.rpartition(".")[2].removesuffix("Value").lower()
        if several and rng.random() < 0.5:
            rules = _bounds(rng, "min_items", "max_items", [1, 1, 2])
        elif several == "map" or kind not in SCALARS or kind == "bool":
            return ""
        elif kind in ("string", "bytes"):
            rules = _bounds(rng, "min_length", "max_length", [1, 2, 3, 4])
            if kind == "string" and rng.random() < 0.5:
                rules += f' pattern: "{rng.choice(_PATTERNS)}"'
        elif kind in ("double", "float"):
            rules = _bounds(rng, "minimum", "maximum", [-1e10, -8.5, 0, 0.5, 9, 1e10])
        else:
            low = 0 if kind.startswith(("u", "fixed")) else -1000
            rules = _bounds(rng, "minimum", "maximum", [low, 0, 1, 500, 2**31 - 1])
        return Name(f" [(.contract.v1.rules) = {{{rules}}}]", "")

    def _json_name(self) -> tuple[_Part, ...]:
        self._count += 1
        text = self._rng.choice((self._word("thing"), "a b", "ä", "@type", "-", "$ref", '\\"'))
        return 'json_name = "', Name(text, f"calmJson{self._count}"), '"'

    # Events

    def _event(self) -> None:
        key = self._name("thing")
        self._line("message ", self._name("Thing"), " {")
        named = self._rng.sample(_CALLERS, self._rng.randint(0, 3))
        subscribers = ", ".join(f'"{name}"' for name in named)
        option = '  option (.contract.v1.event) = {key: "'
        self._line(option, key, f'" subscribers: [{subscribers}]}};')
        if self._rng.random() < 0.5:
            self._line("  string ", key, " = 1000;")
        else:
            required = "[(.google.api.field_behavior) = REQUIRED]"
            self._line("  optional string ", key, f" = 1000 {required};")
        self._fields(self._rng.randint(0, 3))
        self._line("}")

    # Services

    def _service(self, package: str, is_client_facing: bool) -> None:
        asked = Type(self._name("Thing"), package, is_enum=False)
        variable = self._name("thing")
        self._line("message ", asked.name, " {")
        self._line("  string ", variable, " = 1;")
        for number in range(2, self._rng.randint(3, 6)):
            label = self._rng.choice(("  ", "  repeated ", "  optional "))
            self._line(label, self._queried(), " ", self._name("thing"), f" = {number};")
        self._line("}")
        self._line("service ", self._name("Thing"), " {")
        for _ in range(self._rng.randint(1, 5)):
            self._method(is_client_facing)
        self._line("  rpc ", self._name("Thing"), "(", asked, ") returns (", asked, ") {")
        path = self._path()
        self._line('    option (.google.api.http) = {get: "', path, "/{", variable, '}"};')
        access = self._access(is_client_facing=True)
        self._line(f"    option (.contract.v1.method) = {{access: {{{access}}}}};")
        self._line("  }")
        self._line("}")

    def _queried(self) -> Use:
        """A type that a query can hold."""
        values = [each for each in _WELL_KNOWN if not each.endswith("Empty")]
        enums = [each for each in self._types if each.is_enum]
        if self._rng.random() < 0.3:
            return Use(self._rng.choice(enums))
        return Use(self._rng.choice(self._rng.choice((SCALARS, values))))

    def _method(self, is_client_facing: bool) -> None:
        rng = self._rng
        streams = rng.choice(((False, False), (False, True), (True, False), (True, True)))
        request, response = self._taken(), self._taken()
        before, after = ("stream " if each else "" for each in streams)
        name = self._name("Thing")
        self._line("  rpc ", name, f"({before}", request, f") returns ({after}", response, ") {")
        errors = rng.sample(self._errors, rng.randint(0, 2))
        listed = [part for error in errors for part in (", ", '"', Undotted(error), '"')]
        is_bound = not any(streams) and str(request) != ".google.protobuf.FieldMask"
        is_bound = is_bound and rng.random() < 0.8
        access = f"access: {{{self._access(is_client_facing or is_bound)}}}"
        spec: list[_Part] = ["errors: [", *listed[1:], "] ", access] if listed else [access]
        self._line("    option (.contract.v1.method) = {", *spec, "};")
        if is_bound:
            self._bind()
        self._line("  }")

    def _access(self, is_client_facing: bool) -> str:
        """One way to say who may call a method."""
        rng = self._rng
        names = ", ".join(f'"{name}"' for name in rng.sample(_CALLERS, rng.randint(1, 3)))
        ways = ["public: true", "signed_in: true", f"roles: [{names}]", f"callers: [{names}]"]
        return rng.choice(ways[: 3 if is_client_facing else 4])

    def _taken(self) -> Type | str:
        if self._rng.random() < 0.2:
            return self._rng.choice((".google.protobuf.Empty", ".google.protobuf.FieldMask"))
        return self._rng.choice(self._messages)

    def _bind(self) -> None:
        """Bind a method by its whole body, and sometimes a second time."""
        more: list[_Part] = []
        if self._rng.random() < 0.3:
            more = [" additional_bindings {put: ", '"', self._path(), '" body: "*"}']
        path = self._path()
        self._line('    option (.google.api.http) = {post: "', path, '" body: "*"', *more, "};")

    def _path(self) -> Name:
        self._count += 1
        parts = [self._rng.choice(_LITERALS) for _ in range(self._rng.randint(1, 3))]
        # Contracts that a process serves together must not bind one path.
        root = f"/file{len(self._draft.files)}"
        return Name("/".join((root, *parts)), f"{root}/calm/{self._count}")


def _bounds(rng: random.Random, low: str, high: str, values: Sequence[float]) -> str:
    """A least value, a greatest one, or both."""
    first, last = sorted(rng.choices(values, k=2))
    return rng.choice((f"{low}: {first}", f"{high}: {last}", f"{low}: {first} {high}: {last}"))


def _camel(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in word.split("_"))
