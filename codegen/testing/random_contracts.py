"""Makes up contracts that use every kind of field, for tests of the generators."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["random_contract"]

_SCALARS = [
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
]
_KEYS = [scalar for scalar in _SCALARS if scalar not in ("double", "float", "bytes")]
_WELL_KNOWN = [
    f"google.protobuf.{name}"
    for name in [
        "Timestamp",
        "Duration",
        "DoubleValue",
        "FloatValue",
        "Int64Value",
        "UInt64Value",
        "Int32Value",
        "UInt32Value",
        "BoolValue",
        "StringValue",
        "BytesValue",
    ]
]

# Words that are names in Python, in the generated modules, or that ProtoJSON writes differently.
_WORDS = [
    "sku",
    "name",
    "class",
    "import",
    "from",
    "value",
    "record",
    "message",
    "item",
    "key",
    "depth",
    "error",
    "json_name",
    "json_value",
    "int",
    "str",
    "bytes",
    "float",
    "bool",
    "tuple",
    "datetime",
    "timedelta",
    "mapping",
    "read_string",
    "item_to_json",
    "self",
    "type",
    "id",
    "range",
    "list",
    "dict",
    "print",
    "none_",
    "total_price",
    "x9",
    "a_b_c",
    "http2_port",
    "query",
    "body",
    "request",
    "api",
    "codec",
]


def random_contract(seed: int) -> str:
    """The text of a contract.

    Args:
        seed: The same seed gives the same contract.
    """
    return "\n".join(_file(random.Random(seed), seed))  # noqa: S311 (not a secret)


def _file(rng: random.Random, seed: int) -> Iterator[str]:
    yield 'syntax = "proto3";'
    yield f"package made_up.v{seed};"
    for name in ("timestamp", "duration", "wrappers"):
        yield f'import "google/protobuf/{name}.proto";'
    yield "// Knows some numbers and not others."
    yield "enum Colour {"
    yield "  COLOUR_UNSPECIFIED = 0;"
    yield "  COLOUR_RED = 1;  // Red.\n  COLOUR_NEGATIVE = -5;\n  OTHER = 7;\n  COLOUR_None = 8;"
    yield "}"
    names = [f"Thing{n}" for n in range(rng.randint(4, 6))]
    # Nested types, and a type that holds itself.
    types = [*names, "Colour", f"{names[0]}.Inner", f"{names[0]}.Kind"]
    for name in names:
        yield f'// Says what {name} is: a "quoted" word, a back\\slash, and {{braces}}.'
        yield f"message {name} {{"
        if name == names[0]:
            yield "  enum Kind { option allow_alias = true; NONE = 0; FIRST = 1; ALSO_FIRST = 1; }"
            yield f"  message Inner {{ optional int32 depth = 1; {name} around = 2; }}"
        yield from (f"  {row}" for row in _fields(rng, types))
        yield "}"


def _fields(rng: random.Random, types: list[str]) -> Iterator[str]:
    words = rng.sample(_WORDS, rng.randint(6, 14))
    numbers = iter(rng.sample(range(1, 200), len(words) + 8))
    for word in words:
        any_type = rng.choice((_SCALARS, _SCALARS, _WELL_KNOWN, types))
        kind = rng.choice(any_type)
        number = next(numbers)
        match rng.randint(0, 5):
            case 0:
                yield f"repeated {kind} {word} = {number};"
            case 1:
                yield f"map<{rng.choice(_KEYS)}, {kind}> {word} = {number};"
            case 2:
                yield f"optional {kind} {word} = {number};  // It may be absent."
            case 3 if rng.random() < 0.5:
                yield f'{kind} {word} = {number} [json_name = "{word}JsonName"];'
            case _:
                yield f"{kind} {word} = {number};"
    if rng.random() < 0.7:
        yield "oneof choice {"
        for at in range(rng.randint(1, 4)):
            kind = rng.choice(rng.choice((_SCALARS, _WELL_KNOWN, types)))
            yield f"  {kind} choice_{at} = {next(numbers)};"
        yield "}"
