"""Random messages through the client's JSON, against Protocol Buffers' own."""

from __future__ import annotations

import json
import random
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from google.protobuf import (
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    json_format,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.message_factory import GetMessageClass

from clients.android.packed import java
from codegen.testing.compiling import TESTDATA, request_for
from codegen.testing.random_messages import fill

if TYPE_CHECKING:
    from google.protobuf.message import Message

MESSAGES: Final = 1_500

TIMEOUT: Final = 60.0

BROUGHT_ALONG: Final = (duration_pb2, empty_pb2, field_mask_pb2, timestamp_pb2, wrappers_pb2)


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    pool = descriptor_pool.Default()
    known = {each.DESCRIPTOR.name for each in BROUGHT_ALONG}
    for file in request_for(TESTDATA / "contracts", ["library/v1/values.proto"]).proto_file:
        if file.name not in known:
            pool.AddSerializedFile(file.SerializeToString())
    message_type = GetMessageClass(pool.FindMessageTypeByName("library.v1.Everything"))
    rng = random.Random(1)
    found = [message_type() for _ in range(MESSAGES)]
    for message in found:
        fill(rng, message)
    return found


@pytest.mark.parametrize("arguments", [(), ("sent",)], ids=["with defaults", "as a request"])
def test_a_message_stays_the_same(messages: list[Message], arguments: tuple[str, ...]) -> None:
    questions = [
        {"message": "library.v1.Everything", "json": json_format.MessageToJson(message)}
        for message in messages
    ]
    program = subprocess.run(
        java("programs.ProtoJsonKt", *arguments),
        input="".join(f"{json.dumps(question)}\n" for question in questions),
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    assert program.returncode == 0, program.stderr
    answers = [json.loads(line) for line in program.stdout.split("\n") if line]
    assert [each for each in answers if "error" in each] == []
    for message, answer in zip(messages, answers, strict=True):
        read = json_format.Parse(answer["json"], type(message)())
        # As bytes, in which zeros have signs and what is no number is equal to itself.
        expected = message.SerializeToString(deterministic=True)
        assert read.SerializeToString(deterministic=True) == expected
