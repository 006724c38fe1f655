"""Examples are messages of their contracts, as protobuf reads JSON, and commands are whole."""

from __future__ import annotations

import base64
import shlex
from pathlib import Path

import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

from codegen.contract.loading import load
from codegen.contract.model import ContractFile, Field, HttpBinding, Message, Method, Scalar
from codegen.documentation.examples import example_of, request_command
from codegen.documentation.reading import UnreadableContractsError, read_contracts
from codegen.openapi.schemas import Json
from codegen.testing.compiling import CONTRACTS, TESTDATA, request_for

LIBRARY = ("library/v1/api.proto", "library/v1/messagebus.proto", "library/v1/values.proto")
SHOP = tuple(
    path.relative_to(CONTRACTS).as_posix() for path in sorted(CONTRACTS.glob("*/v1/*.proto"))
)


def files_and_pool(paths: tuple[str, ...]) -> tuple[list[ContractFile], DescriptorPool]:
    request = request_for(CONTRACTS if paths == SHOP else TESTDATA / "contracts", paths)
    pool = DescriptorPool()
    for file in request.proto_file:
        pool.Add(file)
    return load(request, {}), pool


@pytest.mark.parametrize("paths", [LIBRARY, SHOP])
def test_every_example_is_read_as_its_message(paths: tuple[str, ...]) -> None:
    files, pool = files_and_pool(paths)
    read = 0
    for file in files:
        for message in file.messages:
            example = example_of(message, file.types)
            of = message_factory.GetMessageClass(pool.FindMessageTypeByName(message.full_name))
            json_format.ParseDict(example, of(), descriptor_pool=pool)
            accepted(message, example)
            read += 1
    assert read > 20


def accepted(message: Message, example: dict[str, Json]) -> None:
    """Check what the rules of the outermost fields say of an example."""
    for field in message.fields:
        rules = field.rules
        if rules is None or field.json_name not in example:
            continue
        value = example[field.json_name]
        if isinstance(value, list):
            assert (rules.min_items or 0) <= len(value)
        elif rules.minimum is not None:
            assert isinstance(value, int | float | str)
            assert float(value) >= rules.minimum
        elif isinstance(value, str):
            length = len(base64.b64decode(value) if field.type is Scalar.BYTES else value)
            assert (rules.min_length or 0) <= length
            assert rules.max_length is None or length <= rules.max_length


def bindings(files: list[ContractFile]) -> list[tuple[ContractFile, Method, HttpBinding]]:
    return [
        (file, method, binding)
        for file in files
        for service in file.services
        for method in service.methods
        for binding in method.http
    ]


def test_commands_name_the_route_and_say_who_asks() -> None:
    files, _ = files_and_pool(SHOP)
    found = bindings(files)
    assert found
    for file, method, binding in found:
        command = request_command(method, binding, file.types)
        assert "{" not in command.partition("?")[0].partition("--json")[0].replace("${shop}", "")
        if command.startswith("new WebSocket"):
            continue
        words = shlex.split(command)
        assert words[0] == "curl"
        assert any(word.startswith("$shop/") for word in words)
        assert ("Authorization: Bearer $token" in words) is not method.access.public
        assert ("--json" in words) is binding.has_body


def test_a_value_that_a_comment_gives_as_an_example_is_taken() -> None:
    files, _ = files_and_pool(SHOP)
    money = next(m for file in files for m in file.messages if m.full_name == "contract.v1.Money")
    assert isinstance(money.members[0], Field)
    assert example_of(money, {}) == {"currencyCode": "EUR", "minorUnits": "1"}


def test_contracts_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableContractsError, match="expected a folder that holds contracts"):
        read_contracts(tmp_path)
    (tmp_path / "a.proto").write_text('syntax = "proto3"; message {')
    with pytest.raises(UnreadableContractsError, match=r"a\.proto:1:28"):
        read_contracts(tmp_path)
