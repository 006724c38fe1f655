"""Generated converters against Protocol Buffers' own: random contracts, random values."""

from __future__ import annotations

import importlib
import json
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codegen import names
from codegen.testing.compiling import compile_contracts
from codegen.testing.random_contracts import random_contract
from seam.codec.wire import Codec
from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from google.protobuf.message import Message

SEEDS = range(6)
EXAMPLES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Converters:
    codec: Codec[Any]
    to_json: Any
    from_json: Any

    @property
    def message_type(self) -> type[Message]:
        return self.codec.message_type


@pytest.fixture(scope="module", params=SEEDS)
def contract(request: pytest.FixtureRequest, generated: None) -> list[Converters]:
    base = f"made_up.v{request.param}.contract"
    wire, to_from_json = (importlib.import_module(base + suffix) for suffix in ("_wire", "_json"))
    return list(_converters(wire, to_from_json))


def _converters(wire: ModuleType, to_from_json: ModuleType) -> Iterator[Converters]:
    for codec in vars(wire).values():
        if isinstance(codec, Codec):
            stem = names.snake(codec.record_type.__name__)
            yield Converters(
                codec,
                getattr(to_from_json, f"{stem}_to_json"),
                getattr(to_from_json, f"{stem}_from_json"),
            )


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    sources = tmp_path_factory.mktemp("contracts")
    out = tmp_path_factory.mktemp("generated")
    files = []
    for seed in SEEDS:
        path = sources / f"made_up/v{seed}/contract.proto"
        path.parent.mkdir(parents=True)
        path.write_text(random_contract(seed))
        files.append(str(path.relative_to(sources)))
    compile_contracts(sources, out, files, plugins=["records"])
    sys.path.insert(0, str(out))
    yield
    sys.path.remove(str(out))


# Random messages

INTEGERS = {
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "uint64": st.integers(0, 2**64 - 1),
}
SCALARS = {
    1: st.floats(allow_nan=False) | st.just(math.nan),
    2: st.floats(width=32, allow_nan=False) | st.just(math.nan),
    3: INTEGERS["int64"],
    4: INTEGERS["uint64"],
    5: INTEGERS["int32"],
    6: INTEGERS["uint64"],
    7: INTEGERS["uint32"],
    8: st.booleans(),
    9: st.text(max_size=5),
    12: st.binary(max_size=5),
    13: INTEGERS["uint32"],
    14: st.sampled_from([0, 1, -5, 7, 8, 1234, -(2**31)]),
    15: INTEGERS["int32"],
    16: INTEGERS["int64"],
    17: INTEGERS["int32"],
    18: INTEGERS["int64"],
}


def fill(draw: Any, message: Any, depth: int = 0) -> None:
    """Sets random fields of a message."""
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds = draw(st.integers(-62135596800, 253402300799))
        message.nanos = draw(st.integers(0, 999_999)) * 1000
        return
    if name == "google.protobuf.Duration":
        micros = draw(st.integers(-315576000000 * 10**6, 315576000000 * 10**6))
        sign = -1 if micros < 0 else 1
        message.seconds = sign * (abs(micros) // 10**6)
        message.nanos = sign * (abs(micros) % 10**6) * 1000
        return
    for field in message.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        nested = field.message_type
        if nested is not None and nested.GetOptions().map_entry:
            key_field, value_field = nested.fields
            target = getattr(message, field.name)
            for _ in range(draw(st.integers(0, 2))):
                key = draw(SCALARS[key_field.type])
                if value_field.message_type is None:
                    target[key] = draw(SCALARS[value_field.type])
                elif depth < 3:
                    fill(draw, target[key], depth + 1)
        elif field.is_repeated:
            target = getattr(message, field.name)
            for _ in range(draw(st.integers(0, 2))):
                if nested is None:
                    target.append(draw(SCALARS[field.type]))
                elif depth < 3:
                    fill(draw, target.add(), depth + 1)
        elif nested is None:
            setattr(message, field.name, draw(SCALARS[field.type]))
        elif depth < 3:
            getattr(message, field.name).SetInParent()
            fill(draw, getattr(message, field.name), depth + 1)


def random_message(data: st.DataObject, converters: Converters) -> Message:
    message = converters.message_type()
    fill(data.draw, message)
    return message


def as_bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def printed(message: Message) -> Any:
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


@EXAMPLES
@given(data=st.data())
def test_a_message_becomes_a_record_and_the_same_message_again(
    contract: list[Converters], data: st.DataObject
) -> None:
    converters = data.draw(st.sampled_from(contract))
    message = random_message(data, converters)
    record = converters.codec.from_proto(message)
    assert as_bytes(converters.codec.to_proto(record)) == as_bytes(message)
    again = converters.codec.decode(converters.codec.encode(record))
    # NaN differs from itself, so records are compared by what they hold in writing.
    assert as_bytes(converters.codec.to_proto(again)) == as_bytes(message)
    if "nan" not in repr(record):
        assert again == record


@EXAMPLES
@given(data=st.data())
def test_json_of_a_record_is_what_json_format_prints(
    contract: list[Converters], data: st.DataObject
) -> None:
    converters = data.draw(st.sampled_from(contract))
    message = random_message(data, converters)
    record = converters.codec.from_proto(message)
    value = converters.to_json(record)
    assert value == printed(message)
    # As text, too: 1 and 1.0, or 0.0 and -0.0, are equal in Python.
    assert json.dumps(value, sort_keys=True) == json.dumps(printed(message), sort_keys=True)
    assert json.loads(msgspec.json.encode(value)) == json.loads(json.dumps(value))
    assert as_bytes(converters.codec.to_proto(converters.from_json(value))) == as_bytes(message)


# Odd spellings, of which json_format takes some and refuses others.
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.sampled_from(
        [
            "",
            "1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "1E400",
            "1_000",
            "+7",
            "0x10",
            "٣",
            "nan",
            "NaN",
            "inf",
            "Infinity",
            "-Infinity",
            "true",
            "false",
            "True",
            "COLOUR_RED",
            "colour_red",
            "FIRST",
            "ALSO_FIRST",
            "aGk",
            "aGk=",
            "_-8",
            "a",
            "====",
            "1s",
            "1.5s",
            "-1.5s",
            "-0.5s",
            ".5s",
            "1.",
            "s",
            "1.0000000001s",
            "315576000001s",
            "1.999999999s",
            "2024-05-31T12:00:00Z",
            "2024-05-31T12:00:00.123456789Z",
            "2024-05-31T12:00:00+05:30",
            "2024-5-1T1:2:3Z",
            "2024-05-31t12:00:00Z",
            "2024-05-31T12:00:00",
            "2024-05-31 12:00:00Z",
            "2024-02-30T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "2024-05-31T12:00:00.Z",
            "2024-05-31T12:00:60Z",
            "2024-05-31T12:00:00-5:0",
            "2024-05-31T12:00:00.1e0Z",
            "2024-05-31T12:00:00z",
            "9999-12-31T23:59:59.999999999Z",
            "2024-05-31T12:00:00.1234567891Z",
        ]
    ),
    st.text(max_size=4),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"a": None}),
    st.just({"1": 1, "true": True}),
)


def mutate(draw: Any, value: Any, message: Any) -> Any:
    """Puts something odd somewhere into printed JSON."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        changed = dict(value)
        field = next((f for f in getattr(message, "fields", ()) if f.json_name == key), None)
        choice = draw(st.integers(0, 6))
        if choice == 0 and field is not None and field.name not in value:
            changed[field.name] = changed.pop(key)
        elif choice == 1:
            changed[draw(st.text(max_size=3))] = changed[key]
        else:
            nested = field.message_type if field is not None else None
            changed[key] = mutate(draw, value[key], nested)
        return changed
    if isinstance(value, list) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], mutate(draw, value[at], message), *value[at + 1 :]]
    return draw(ODD)


def outcome_of_json_format(message_type: type[Message], value: Any) -> Any:
    try:
        return json_format.ParseDict(value, message_type())
    except Exception:
        return None


def takes_no_object_for_a_message(message: Any, value: Any) -> bool:
    """Whether JSON holds "" or [] for a message: json_format takes these, and we do not."""
    if message is None:
        return False
    if message.full_name.startswith("google.protobuf."):
        return False
    if not isinstance(value, dict):
        return value in ("", [])
    for key, item in value.items():
        for field in message.fields:
            if key not in (field.name, field.json_name) or field.message_type is None:
                continue
            nested = field.message_type
            items: Any
            if nested.GetOptions().map_entry:
                items = item.values() if isinstance(item, dict) else ()
                nested = nested.fields_by_name["value"].message_type
            elif field.is_repeated:
                items = item if isinstance(item, list) else ()
            else:
                items = [item]
            if any(takes_no_object_for_a_message(nested, each) for each in items):
                return True
    return False


def cut_to_microseconds(message: Any) -> Any:
    """Drops what a datetime cannot hold."""
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


@settings(EXAMPLES, max_examples=400)
@given(data=st.data())
def test_json_is_accepted_and_refused_as_by_json_format(
    contract: list[Converters], data: st.DataObject
) -> None:
    converters = data.draw(st.sampled_from(contract))
    value = printed(random_message(data, converters))
    for _ in range(data.draw(st.integers(1, 2))):
        value = mutate(data.draw, value, converters.message_type.DESCRIPTOR)
    expected = outcome_of_json_format(converters.message_type, value)
    if takes_no_object_for_a_message(converters.message_type.DESCRIPTOR, value):
        expected = None
    if expected is None:
        with pytest.raises(InvalidField):
            converters.from_json(value)
    else:
        record = converters.from_json(value)
        found = as_bytes(converters.codec.to_proto(record))
        assert found == as_bytes(cut_to_microseconds(expected))
