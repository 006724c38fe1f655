"""Generated converters against Protocol Buffers' own: random contracts, random values."""

from __future__ import annotations

import importlib
import json
import math
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from google.protobuf import json_format

from codegen import names
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.testing.random_messages import fill
from seam.codec.wire import Codec
from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from google.protobuf.message import Message

TURNS = 400
"""How many messages of each random contract are tried by each test."""


@dataclass
class Converters:
    codec: Codec[Any]
    to_json: Any
    from_json: Any

    @property
    def message_type(self) -> type[Message]:
        return self.codec.message_type


def converters_of(wire: ModuleType, to_from_json: ModuleType) -> Iterator[Converters]:
    for codec in vars(wire).values():
        if isinstance(codec, Codec):
            name = codec.record_type.__name__
            yield Converters(
                codec,
                getattr(to_from_json, names.to_json_function(name)),
                getattr(to_from_json, names.from_json_function(name)),
            )


@pytest.fixture(scope="module", params=SEEDS)
def contract(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Converters]]:
    """The converters of all messages of some random contracts."""
    out = tmp_path_factory.mktemp("generated")
    files = generate_random_contracts(request.param, out)
    sys.path.insert(0, str(out))
    yield [
        each
        for file in files
        for each in converters_of(
            importlib.import_module(names.wire_module(file.module)),
            importlib.import_module(names.json_module(file.module)),
        )
    ]
    sys.path.remove(str(out))


def random_messages(
    contract: list[Converters], turns: int
) -> Iterator[tuple[random.Random, Converters, Message]]:
    """Random messages that are valid records, of each message's type in turn."""
    rng = random.Random(1)
    for turn in range(turns):
        converters = contract[turn % len(contract)]
        message = converters.message_type()
        fill(rng, message)
        # What is REQUIRED may be absent in a random message.
        if refusal_of(converters.codec.from_proto, message) is None:
            yield rng, converters, message


def refusal_of(convert: Any, value: object) -> InvalidField | None:
    try:
        convert(value)
    except InvalidField as refused:
        return refused
    return None


def as_bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def printed(message: Message) -> Any:
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def test_a_message_becomes_a_record_and_the_same_message_again(contract: list[Converters]) -> None:
    for _, converters, message in random_messages(contract, TURNS):
        record = converters.codec.from_proto(message)
        assert as_bytes(converters.codec.to_proto(record)) == as_bytes(message)
        again = converters.codec.decode(converters.codec.encode(record))
        # NaN differs from itself, so records are compared by what they hold in writing.
        assert as_bytes(converters.codec.to_proto(again)) == as_bytes(message)
        if "nan" not in repr(record):
            assert again == record


def test_json_of_a_record_is_what_json_format_prints(contract: list[Converters]) -> None:
    for _, converters, message in random_messages(contract, TURNS):
        record = converters.codec.from_proto(message)
        value = converters.to_json(record)
        assert value == printed(message)
        # As text, too: 1 and 1.0, or 0.0 and -0.0, are equal in Python.
        assert json.dumps(value, sort_keys=True) == json.dumps(printed(message), sort_keys=True)
        assert json.loads(msgspec.json.encode(value)) == json.loads(json.dumps(value))
        assert as_bytes(converters.codec.to_proto(converters.from_json(value))) == as_bytes(message)


def test_a_wrong_value_is_found_by_the_name_that_the_contract_gives_it(
    contract: list[Converters],
) -> None:
    found = 0
    for rng, converters, message in random_messages(contract, TURNS):
        fields = message.ListFields()
        record = converters.codec.from_proto(message)
        attributes = [each.name for each in msgspec.structs.fields(type(record))]
        if not fields:
            continue
        attribute = rng.choice(attributes)
        wrong = msgspec.structs.replace(record, **{attribute: {}})
        if getattr(record, attribute) == {}:
            continue
        refused = refusal_of(converters.codec.encode, wrong)
        if refused is not None:
            found += 1
            assert refused.path.rstrip("_") == attribute.rstrip("_"), (refused, wrong)
    assert found > TURNS // 10


# Odd spellings, of which json_format takes some and refuses others.
ODD: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 2**63, -(2**65), 0.5, -0.0, 1e300, 3.0),
    *(math.nan, math.inf, -math.inf, [], {}, [None], [1], {"a": None}, {"1": 1, "true": True}),
    *("", "1", "-1", "1.0", "1e3", "0x10", "nan", "NaN", "inf", "Infinity", "-Infinity"),
    *("true", "false", "True", "no_such_value", "aGk", "aGk=", "_-8", "a", "====", "a,b", "a,"),
    *("fooBar,baz", "foo_bar", "a b", "1s", "1.5s", "-1.5s", "-0.5s", ".5s", "s"),
    *("315576000001s", "1.999999999s", "\ud800", "2024-05-31T12:00:00Z"),
    *("2024-05-31T12:00:00.123456789Z", "2024-05-31T12:00:00+05:30", "2024-05-31T12:00:00"),
    *("2024-02-30T00:00:00Z", "0001-01-01T00:00:00+00:01", "2024-05-31T12:00:60Z"),
    *("9999-12-31T23:59:59.999999999Z", "2024-05-31T12:00:00.1234567891Z"),
]

# Spellings that json_format takes, of some types, and the text of ProtoJSON does not know: of
# these, seam/codec/protojson_test.py says which are refused.
LENIENT: list[Any] = [
    *(
        " 1",
        "1 ",
        "1_000",
        "+7",
        "1.",
        "1E400",
        "٣",
        "1.0000000001s",
        "2024-5-1T1:2:3Z",
        "2024-05-31t12:00:00Z",
    ),
    *("2024-05-31 12:00:00Z", "2024-05-31T12:00:00.Z", "2024-05-31T12:00:00-5:0"),
    *("2024-05-31T12:00:00.1e0Z", "2024-05-31T12:00:00z", "AP_+", "!!"),
]


def mutate(rng: random.Random, value: Any, message: Any) -> Any:
    """Put something odd somewhere into printed JSON."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(sorted(value))
        changed = dict(value)
        field = next((f for f in getattr(message, "fields", ()) if f.json_name == key), None)
        match rng.randint(0, 6):
            case 0 if field is not None and field.name not in value:
                changed[field.name] = changed.pop(key)
            case 1:
                changed[rng.choice(("", "x", "_", "sku", "a b"))] = changed[key]
            case _:
                nested = field.message_type if field is not None else None
                changed[key] = mutate(rng, value[key], nested)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.5:
        at = rng.randrange(len(value))
        return [*value[:at], mutate(rng, value[at], message), *value[at + 1 :]]
    return rng.choice((*ODD, *ODD, *LENIENT))


def outcome_of_json_format(message_type: type[Message], value: Any) -> Any:
    try:
        return json_format.ParseDict(value, message_type())
    except Exception:
        return None


def cut_to_microseconds(message: Any) -> Any:
    """Drop what a datetime cannot hold."""
    if message.DESCRIPTOR.full_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        message.nanos = math.trunc(message.nanos / 1000) * 1000
        return message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for each in value.values():
                    cut_to_microseconds(each)
        else:
            for each in value if field.is_repeated else [value]:
                cut_to_microseconds(each)
    return message


def test_json_is_read_as_by_json_format_or_refused(contract: list[Converters]) -> None:
    refused_alone: set[str] = set()
    for rng, converters, message in random_messages(contract, 4 * TURNS):
        value = printed(message)
        for _ in range(rng.randint(1, 2)):
            value = mutate(rng, value, converters.message_type.DESCRIPTOR)
        expected = outcome_of_json_format(converters.message_type, value)
        try:
            record = converters.from_json(value)
        except InvalidField as refused:
            if expected is not None:
                refused_alone.add(refused.reason)
            continue
        if expected is None:
            value = with_plain_numbers(value)
            assert outcome_of_json_format(converters.message_type, value) is not None, value
        else:
            found = as_bytes(converters.codec.to_proto(record))
            assert found == as_bytes(cut_to_microseconds(expected)), value
    for reason in refused_alone:
        assert is_beyond_the_text(reason), reason


def with_plain_numbers(value: Any) -> Any:
    """Write integers as json_format takes them; in texts, ProtoJSON allows what it does in JSON."""
    if isinstance(value, dict):
        return {key: with_plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_plain_numbers(item) for item in value]
    return {"1.0": "1", "1e3": "1000"}.get(value, value) if isinstance(value, str) else value


def is_beyond_the_text(reason: str) -> bool:
    """Whether json_format accepts something that is no ProtoJSON, or no valid record."""
    # json_format lets one field be given by both of its names.
    if reason == "required, but absent" or reason.startswith("expected only one of"):
        return True
    what, _, got = reason.rpartition(", got ")
    lenient = [repr(each) for each in LENIENT]
    if what.startswith(("expected an int", "expected a uint")):
        return got in lenient
    if what.startswith(("expected a double", "expected a float")):
        return got in [*lenient, "true", "false", "nan", "inf", "-inf", "'nan'", "'inf'"]
    if what.startswith("expected one of"):
        return got in ["true", "false", *lenient] or is_number(got)
    if what.startswith("expected bytes"):
        return True
    if what.startswith("expected paths"):
        return True
    if what.startswith("expected a duration"):
        return got in lenient
    if what.startswith("expected an RFC 3339"):
        return got in lenient or got == "'2024-05-31T12:00:60Z'"
    if what == "expected an object":
        # For an empty message; for a map.
        return got in ("''", "an array")
    return False


def is_number(text: str) -> bool:
    try:
        float(text.strip("'"))
    except ValueError:
        return False
    return True
