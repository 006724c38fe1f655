"""The server, every client and Protocol Buffers' own JSON read and write alike."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import TYPE_CHECKING

import msgspec
import pytest
from google.protobuf import descriptor_pool, json_format
from google.protobuf.message_factory import GetMessageClass

from clients.protojson.participants import PARTICIPANTS, Participant
from clients.protojson.table import Answer, Case, cases, disagreement
from codegen.testing.compiling import TESTDATA, request_for

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.descriptor_pool import DescriptorPool

TIMEOUT = 120.0
"""Seconds for a program to answer all cases, on a busy machine."""

# What json_format takes, and the text of ProtoJSON does not know.
LAXER_IN_JSON_FORMAT = frozenset(
    {
        "int32: a plus",
        "int32: an underscore",
        "int32: a zero before the digits",
        "int32: no digit after the point",
        "int32: digits of another script",
        "double: true",
        "double: inf",
        "double: Infinity with a plus",
        "double: a space",
        "double: an underscore",
        "double: no digit before the point",
        "double: no digit after the point",
        "float: true",
        "float: inf",
        "float: Infinity with a plus",
        "float: a space",
        "float: an underscore",
        "float: no digit before the point",
        "float: no digit after the point",
        "double: more than the largest, in a text",
        "bytes: too little padding",
        "bytes: too much padding",
        "bytes: padding alone",
        "bytes: padding within",
        "bytes: letters of no alphabet",
        "bytes: a space",
        "bytes: a line feed at the end",
        "bytes: both alphabets at once",
        "enum: true",
        "enum: a fraction",
        "message: a list",
        "message: an empty text",
        "no message: a list",
        "timestamp: no digit after the point",
        "timestamp: an offset of 24 hours",
        "timestamp: one digit of a month",
        "duration: a plus",
        "duration: no digit after the point",
        "duration: ten digits after the point",
        "duration: a space",
        "field mask: a space",
        "field mask: a path too few",
        "empty: a list",
        "empty: a text",
    }
)

# What json_format refuses although it is ProtoJSON: it reads large integers through doubles, and
# does not read the largest float as it writes it.
REFUSED_BY_JSON_FORMAT = frozenset(
    {
        "int64: a fraction of zero in a text",
        "float: the largest",
    }
)


def answers_of(participant: Participant, folder: Path, rows: list[Case]) -> list[Answer]:
    questions = [msgspec.json.encode({"message": r.message, "json": r.json}) for r in rows]
    program = subprocess.run(
        participant.command(folder),
        input=b"\n".join(questions) + b"\n",
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert program.returncode == 0, program.stderr.decode()
    return [msgspec.json.decode(line, type=Answer) for line in program.stdout.splitlines()]


@pytest.mark.parametrize("participant", PARTICIPANTS, ids=lambda each: each.name)
def test_a_program_gives_the_answers_of_the_table(participant: Participant, tmp_path: Path) -> None:
    rows = cases()
    answers = answers_of(participant, tmp_path, rows)
    assert len(answers) == len(rows)
    found = [
        disagreement(row, answer, from_client=participant.is_client)
        for row, answer in zip(rows, answers, strict=True)
    ]
    differences = [text for text in found if text is not None]
    assert not differences, "\n".join(differences)


def test_json_format_gives_the_answers_of_the_table_with_these_exceptions() -> None:
    laxer, stricter, other = set(), set(), []
    for row in cases():
        answer = answer_of_json_format(row)
        # It keeps nanoseconds, as a client may.
        keeps_more = row.nanoseconds is not None
        found = disagreement(row, answer, from_client=keeps_more)
        if found is not None and row.canonical is None:
            laxer.add(row.name)
        elif found is not None and answer.json is None:
            stricter.add(row.name)
        elif found is not None:
            other.append(found)
    assert not other, "\n".join(other)
    assert laxer == LAXER_IN_JSON_FORMAT
    assert stricter == REFUSED_BY_JSON_FORMAT


@cache
def pool() -> DescriptorPool:
    found = descriptor_pool.DescriptorPool()
    request = request_for(TESTDATA / "contracts", ["library/v1/values.proto"])
    for file in request.proto_file:
        found.AddSerializedFile(file.SerializeToString())
    return found


def answer_of_json_format(row: Case) -> Answer:
    message = GetMessageClass(pool().FindMessageTypeByName(row.message))()
    try:
        json_format.Parse(row.json, message)
        text = json_format.MessageToJson(
            message, always_print_fields_with_no_presence=True, indent=None
        )
        return Answer(json=text)
    # It raises errors of many kinds.
    except Exception as refused:
        return Answer(error=repr(refused))


def test_every_case_has_a_name_of_its_own() -> None:
    found = [row.name for row in cases()]
    assert sorted(set(found)) == sorted(found)


@pytest.mark.parametrize(
    ("written", "agrees"),
    [('{"a": 1.0}', True), ('{"a": true}', False), ('{"a": "1"}', False), ("{}", False)],
)
def test_answers_are_compared_as_json_values(written: str, agrees: bool) -> None:
    row = Case(name="x", message="x", json="{}", canonical='{"a": 1}')
    assert (disagreement(row, Answer(json=written), from_client=True) is None) == agrees


def test_a_large_number_is_compared_digit_by_digit() -> None:
    row = Case(name="x", message="x", json="{}", canonical="9007199254740993")
    assert disagreement(row, Answer(json="9007199254740992"), from_client=True) is not None


def test_a_client_may_be_laxer_only_where_the_table_says_so() -> None:
    strict = Case(name="x", message="x", json="{}", canonical=None)
    lenient = Case(name="x", message="x", json="{}", canonical=None, lenient=True)
    read = Answer(json="{}")
    assert disagreement(strict, read, from_client=True) is not None
    assert disagreement(lenient, read, from_client=True) is None
    assert disagreement(lenient, read, from_client=False) is not None
