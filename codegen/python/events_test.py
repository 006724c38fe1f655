"""Generated descriptors of events, and their AsyncAPI document: what a service relies on."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from codegen.contract.loading import load
from codegen.python import events
from codegen.testing.compiling import TESTDATA, compile_contracts, request_for
from seam.http.asyncapi import asyncapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

CONTRACTS = TESTDATA / "contracts"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The module that describes the events of the library."""
    out = tmp_path_factory.mktemp("generated")
    files = [f"library/v1/{file}.proto" for file in ("messagebus", "values")]
    modules = {file: f"told.{Path(file).stem}" for file in files}
    compile_contracts(CONTRACTS, out, [*files, "contract/v1/options.proto"], modules=modules)
    sys.path.insert(0, str(out))
    yield importlib.import_module("told.messagebus_events")
    sys.path.remove(str(out))


@pytest.fixture
def document(described: ModuleType) -> dict[str, Any]:
    published = [described.BOOK_WAS_LENT, described.SHELF_MOVED]
    return asyncapi(published, title="Library")


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
            assert len(part) == 1, f"what stands beside {part['$ref']} is ignored"
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def resolve(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def test_the_document_is_loaded_when_it_is_asked_for(described: ModuleType) -> None:
    package = importlib.import_module("told")
    assert not hasattr(package, "messagebus_asyncapi")
    assert described.SHELF_MOVED.asyncapi()["channels"].keys() == {
        "library.v1.BookWasLent",
        "library.v1.ShelfMoved",
    }
    assert hasattr(package, "messagebus_asyncapi")


def test_a_descriptor_says_what_the_contract_says(described: ModuleType) -> None:
    event = described.SHELF_MOVED
    records = importlib.import_module("told.messagebus")
    assert (event.type, event.owner) == ("library.v1.ShelfMoved", "library")
    record = records.ShelfMoved(class_="Poems", was=(records.BorrowerKind.CARD,))
    assert event.key(record) == "Poems"
    assert event.codec.decode(event.codec.encode(record)) == record


def test_a_contract_without_events_has_no_module_of_them() -> None:
    (file,) = load(request_for(CONTRACTS, ["library/v1/values.proto"]), {})
    assert not list(events.generate(file))


def test_every_reference_of_the_asyncapi_document_resolves(document: dict[str, Any]) -> None:
    found = list(references(document))
    assert all(resolve(document, reference) for reference in found)
    used = {each.removeprefix("#/components/schemas/") for each in found}
    assert document["components"]["schemas"].keys() <= used


def test_each_event_is_a_message_that_its_service_sends_to_a_channel(
    document: dict[str, Any],
) -> None:
    name = "library.v1.BookWasLent"
    operation = document["operations"][f"publish.{name}"]
    assert operation["action"] == "send"
    channel = resolve(document, operation["channel"]["$ref"])
    assert channel is document["channels"][name]
    (sent,) = (resolve(document, each["$ref"]) for each in operation["messages"])
    assert list(channel["messages"].values()) == [sent]
    message = resolve(document, sent["$ref"])
    assert message["name"] == name
    assert message["contentType"] == "application/protobuf"
    payload = resolve(document, message["payload"]["$ref"])
    assert payload["properties"].keys() == {"isbn", "loan", "genre"}
    assert payload["required"] == ["loan"]


def test_objects_are_open_for_fields_of_newer_contracts(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    assert '"additionalProperties": {' in text
    assert '"additionalProperties": false' not in text
