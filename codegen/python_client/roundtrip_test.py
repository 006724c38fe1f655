"""Clients of made-up contracts against Protocol Buffers' own JSON: random messages."""

from __future__ import annotations

import importlib
import json
import random
import sys
from typing import TYPE_CHECKING

import pytest
from google.protobuf import json_format

from codegen import names
from codegen.python_client.client import respond
from codegen.python_client.modules import module_of
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.testing.compiling import request_for
from codegen.testing.random_messages import fill
from contract_client import Record
from contract_client.descriptors import InvalidJsonError, from_json, to_json
from seam.codec.wire import Codec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

TURNS = 400
"""How many messages of each made-up contract are tried by each test."""

Pair = tuple[type[Record], "type[Message]"]


@pytest.fixture(scope="module", params=SEEDS)
def pairs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Pair]]:
    """The records of some clients, each with the message that it is made from."""
    out = tmp_path_factory.mktemp("generated")
    files = generate_random_contracts(request.param, out)
    asked = request_for(out, [file.path for file in files])
    asked.parameter = package = f"turned_client_{request.param}"
    for file in respond(asked).file:
        path = out / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
    sys.path.insert(0, str(out))
    found: list[Pair] = []
    for contract in files:
        wire = importlib.import_module(names.wire_module(contract.module))
        client = importlib.import_module(module_of(contract.path, package))
        found += [
            (getattr(client, codec.record_type.__name__), codec.message_type)
            for codec in vars(wire).values()
            if isinstance(codec, Codec) and codec.record_type.__module__ == contract.module
        ]
    yield found
    sys.path.remove(str(out))


def random_messages(pairs: list[Pair]) -> Iterator[tuple[type[Record], Message, Record]]:
    """Random messages that hold what is required, and the records that they become."""
    rng = random.Random(1)
    for turn in range(TURNS):
        record_type, message_type = pairs[turn % len(pairs)]
        message = message_type()
        fill(rng, message)
        try:
            record = from_json(record_type, printed(message))
        except InvalidJsonError as refused:
            if refused.reason != "required, but absent":
                raise
            continue
        yield record_type, message, record


def printed(message: Message) -> object:
    text = json_format.MessageToJson(message, always_print_fields_with_no_presence=True)
    return json.loads(text)


def test_a_record_is_written_as_json_format_writes_its_message(pairs: list[Pair]) -> None:
    for _, message, record in random_messages(pairs):
        # As text, too: 1 and 1.0, or 0.0 and -0.0, are equal in Python.
        found, expected = to_json(record), printed(message)
        assert json.dumps(found, sort_keys=True) == json.dumps(expected, sort_keys=True)


def test_a_request_without_defaults_is_the_same_message(pairs: list[Pair]) -> None:
    for record_type, message, record in random_messages(pairs):
        sent = to_json(record, defaults=False)
        assert json_format.ParseDict(sent, type(message)()) == message
        if "nan" not in repr(record):
            assert from_json(record_type, sent) == record
