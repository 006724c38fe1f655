"""Generated checks of rules accept what a reading of the contract, value by value, accepts."""

from __future__ import annotations

import importlib
import math
import random
import re
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from codegen import names
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.testing.compiling import compile_contracts
from codegen.testing.random_messages import fill
from seam.codec.wire import Codec
from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from google.protobuf.message import Message

TURNS = 1_500
"""How many messages of each random contract are tried."""


@pytest.fixture(scope="module", params=SEEDS)
def codecs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Codec[Any]]]:
    """The codecs of all messages of some random contracts."""
    out = tmp_path_factory.mktemp("generated")
    files = generate_random_contracts(request.param, out)
    sys.path.insert(0, str(out))
    modules = [importlib.import_module(names.wire_module(file.module)) for file in files]
    yield [codec for each in modules for codec in vars(each).values() if isinstance(codec, Codec)]
    sys.path.remove(str(out))


def broken(message: Message) -> Iterator[str]:
    """The paths at which a message breaks a rule: the contract, interpreted."""
    options_pb2: Any = importlib.import_module("contract.v1.options_pb2")
    descriptor: Any = message.DESCRIPTOR
    for field in descriptor.fields:
        options = field.GetOptions()
        has_rules = options.HasExtension(options_pb2.rules)
        rules = options.Extensions[options_pb2.rules] if has_rules else None
        value: Any = getattr(message, field.name)
        path = field.json_name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            holds_messages = field.message_type.fields_by_name["value"].message_type is not None
            items = {f"{path}[{key}]": item for key, item in value.items()}
            if rules is not None and not within(len(items), rules, "min_items", "max_items"):
                yield path
            if holds_messages:
                for entry, item in items.items():
                    yield from (f"{entry}.{inner}" for inner in broken(item))
        elif field.is_repeated:
            if rules is not None and not within(len(value), rules, "min_items", "max_items"):
                yield path
            for at, item in enumerate(value):
                yield from of_value(field, rules, item, f"{path}[{at}]")
        elif not field.has_presence or message.HasField(field.name):
            yield from of_value(field, rules, value, path)


def of_value(field: Any, rules: Any, value: Any, path: str) -> Iterator[str]:
    if field.message_type is not None:
        if field.message_type.file.name != "google/protobuf/wrappers.proto":
            yield from (f"{path}.{inner}" for inner in broken(value))
            return
        value = value.value
    if rules is None:
        return
    if isinstance(value, (str, bytes)):
        kept = within(len(value), rules, "min_length", "max_length")
        if rules.pattern and isinstance(value, str):
            kept = kept and re.fullmatch(rules.pattern, value) is not None
    else:
        kept = within(value, rules, "minimum", "maximum")
    if not kept:
        yield path


def within(value: float, rules: Any, low: str, high: str) -> bool:
    if math.isnan(value):
        return not (rules.HasField(low) or rules.HasField(high))
    is_low = rules.HasField(low) and value < getattr(rules, low)
    return not is_low and not (rules.HasField(high) and value > getattr(rules, high))


def test_a_check_refuses_what_breaks_a_rule_and_accepts_all_else(codecs: list[Codec[Any]]) -> None:
    rng = random.Random(1)
    ruled = [codec for codec in codecs if codec.check is not None]
    accepted = refused = 0
    for turn in range(TURNS):
        codec = ruled[turn % len(ruled)]
        message = codec.message_type()
        fill(rng, message)
        try:
            record = codec.from_proto(message)
        except InvalidField:
            continue
        expected = set(broken(message))
        assert codec.check is not None
        found = refusal(codec.check, record)
        if found is None:
            assert not expected, message
            accepted += 1
        else:
            assert found.path in expected, message
            assert found.reason.startswith("expected ")
            refused += 1
    assert accepted > TURNS // 20
    assert refused > TURNS // 20


def test_a_message_has_a_check_only_if_something_in_it_has_rules(codecs: list[Codec[Any]]) -> None:
    options_pb2: Any = importlib.import_module("contract.v1.options_pb2")

    def has_rules(descriptor: Any, seen: set[str]) -> bool:
        if descriptor.full_name in seen:
            return False
        seen.add(descriptor.full_name)
        return any(
            field.GetOptions().HasExtension(options_pb2.rules)
            or (field.message_type is not None and has_rules(field.message_type, seen))
            for field in descriptor.fields
        )

    found = {codec.full_name: codec.check is not None for codec in codecs}
    assert found == {c.full_name: has_rules(c.message_type.DESCRIPTOR, set()) for c in codecs}
    assert set(found.values()) == {True, False}


CONTRACT = """\
syntax = "proto3";
package growing.v1;
import "contract/v1/options.proto";
message Word {
  string text = 1 [(contract.v1.rules).pattern = "(?:[a-z]+(?:-[a-z]+)*)?"];
}
message Words {
  repeated Word words = 1 [(contract.v1.rules).max_items = 1000000];
  repeated string texts = 2 [(contract.v1.rules) = {max_length: 3 pattern: "[a-c]*"}];
}
"""


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    sources, out = tmp_path_factory.mktemp("contracts"), tmp_path_factory.mktemp("generated")
    (sources / "growing.proto").write_text(CONTRACT)
    compile_contracts(sources, out, ["growing.proto"], plugins=["records"])
    compile_contracts(sources, out, ["contract/v1/options.proto"], plugins=[])
    sys.path.insert(0, str(out))
    yield out
    sys.path.remove(str(out))


def refusal(check: Callable[[Any], None], record: Any) -> InvalidField | None:
    try:
        check(record)
    except InvalidField as error:
        return error
    return None


@pytest.mark.parametrize("what", ["a long text", "many messages", "many texts"])
def test_a_check_takes_time_in_proportion_to_what_it_checks(growing: Path, what: str) -> None:
    records: Any = importlib.import_module("growing")
    wire: Any = importlib.import_module("growing_wire")

    def make(size: int) -> tuple[Callable[[Any], None], Any]:
        match what:
            case "a long text":
                return wire.WORD.check, records.Word(text="ab-" * (size // 3) + "!")
            case "many messages":
                words = [records.Word(text="a-b")] * (size // 20) + [records.Word(text="!")]
                return wire.WORDS.check, records.Words(words=tuple(words), texts=())
            case _:
                texts = ("abc",) * (size // 20) + ("!",)
                return wire.WORDS.check, records.Words(words=(), texts=texts)

    def seconds(size: int) -> float:
        check, record = make(size)
        best = math.inf
        for _ in range(5):
            begun = time.process_time()
            found = refusal(check, record)
            best = min(best, time.process_time() - begun)
            assert found is not None
            assert len(str(found)) < 200
        return best

    # A check that went back would take sixteen times as long, or for ever.
    assert seconds(400_000) < 9 * seconds(100_000)
