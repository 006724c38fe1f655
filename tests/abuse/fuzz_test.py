"""Whatever is asked of a shop is answered as its OpenAPI document says, and with no failure."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Final

from tests.abuse.conftest import Attacked
from tests.abuse.fuzzing import LEAVES, STREAMS, fuzz, part_of, schema_of
from tests.system.accounts_test import Person

DESK: Final = "[A-Z]+ /v1/desk/.*"

CHATS: Final = "[A-Z]+ /v1/chats.*"


def document_of(attacked: Attacked) -> dict[str, Any]:
    found: dict[str, Any] = attacked.shop.http.get("/schema").json()
    return found


def operations(document: dict[str, Any]) -> set[str]:
    return {f"{verb.upper()} {path}" for path, verbs in document["paths"].items() for verb in verbs}


def desk_of(document: dict[str, Any]) -> set[str]:
    """What is for the shop's people alone."""
    found = operations(part_of(document, DESK))
    assert len(found) == 21
    return found


def token_of(attacked: Attacked, *, roles: list[str]) -> str:
    """A token of somebody with an account, and with roles that nobody has granted yet."""
    account = Person(attacked.shop).see("/v1/users/me")
    return attacked.key.token(account["userId"], roles)


def test_strangers_are_answered_as_the_document_says(attacked: Attacked) -> None:
    document = document_of(attacked)
    fuzzed = fuzz(schema_of(document, attacked.shop.url))
    assert fuzzed.findings == []
    assert {operation for operation, _ in fuzzed.answers} == operations(document)
    # It is no fuzzing when nobody is let in anywhere.
    assert {("POST /v1/carts", 200), ("GET /v1/inventory", 200)} <= set(fuzzed.answers)
    assert ("GET /v1/orders", 401) in fuzzed.answers
    assert "Traceback" not in attacked.logs()


def test_who_is_signed_in_is_answered_as_the_document_says(attacked: Attacked) -> None:
    document = document_of(attacked)
    token = token_of(attacked, roles=[])
    schema = schema_of(document, attacked.shop.url, token)
    fuzzed = fuzz(schema.exclude(path_regex=STREAMS).exclude(path=LEAVES, method="DELETE"))
    assert fuzzed.findings == []
    left = {f"DELETE {LEAVES}", "GET /v1/chats/{chat_id}:stream"}
    assert {operation for operation, _ in fuzzed.answers} == operations(document) - left
    assert {("GET /v1/users/me", 200), ("POST /v1/chats", 200)} <= set(fuzzed.answers)
    refused = {operation for operation, status in fuzzed.answers if status == 403}
    assert {"GET /v1/chats", *desk_of(document)} <= refused

    leaving = fuzz(schema_of(part_of(document, f"[A-Z]+ {LEAVES}"), attacked.shop.url, token))
    assert leaving.findings == []
    assert leaving.answers[f"DELETE {LEAVES}", 200] > 0
    assert "Traceback" not in attacked.logs()


def test_agents_are_answered_in_chats_as_the_document_says(attacked: Attacked) -> None:
    document = part_of(document_of(attacked), CHATS)
    schema = schema_of(document, attacked.shop.url, token_of(attacked, roles=["agent"]))
    fuzzed = fuzz(schema.exclude(path_regex=STREAMS))
    assert fuzzed.findings == []
    assert ("GET /v1/chats", 200) in fuzzed.answers
    assert "GET /v1/chats" not in {each for each, status in fuzzed.answers if status == 403}
    assert "Traceback" not in attacked.logs()


def test_the_shop_s_people_are_answered_at_their_desk_as_the_document_says(
    attacked: Attacked,
) -> None:
    document = document_of(attacked)
    token = token_of(attacked, roles=["staff"])
    fuzzed = fuzz(schema_of(part_of(document, DESK), attacked.shop.url, token))
    assert fuzzed.findings == []
    assert {operation for operation, _ in fuzzed.answers} == desk_of(document)
    assert 403 not in {status for _, status in fuzzed.answers}
    lists = {operation for operation in desk_of(document) if operation.startswith("GET")}
    assert {(operation, 200) for operation in lists} <= set(fuzzed.answers)
    assert "Traceback" not in attacked.logs()


def test_a_stream_of_events_is_as_the_document_says(attacked: Attacked) -> None:
    person = Person(attacked.shop)
    chat = person.ask("POST", "/v1/chats").json()["chatId"]
    said = {"messageId": "1", "text": "hello"}
    assert person.ask("POST", f"/v1/chats/{chat}/messages", json=said).status_code == 200
    assert person.ask("POST", f"/v1/chats/{chat}:close").status_code == 200
    schema = schema_of(document_of(attacked), attacked.shop.url)
    case = schema["/v1/chats/{chat_id}:stream"]["GET"].Case(
        path_parameters={"chat_id": chat},
        headers={"Authorization": f"Bearer {person.tokens['accessToken']}"},
    )
    response = case.call_and_validate()
    assert (response.status_code, response.content.count(b"\ndata: ")) == (200, 3)


def test_a_document_that_says_less_than_is_answered_is_found_out(monolith: Attacked) -> None:
    honest = document_of(monolith)
    path = "/v1/inventory/{sku}"
    honest = part_of(honest, rf"GET {re.escape(path)}")
    assert fuzz(schema_of(honest, monolith.shop.url)).findings == []

    silent = deepcopy(honest)
    responses = silent["paths"][path]["get"]["responses"]
    silent["paths"][path]["get"]["responses"] = {"200": responses["200"]}
    found = fuzz(schema_of(silent, monolith.shop.url)).findings
    assert any("Undocumented status code" in each for each in found), found

    wrong = deepcopy(honest)
    item = wrong["components"]["schemas"]["inventory.v1.ItemNotFound"]["properties"]
    item["sku"] = {"type": "integer"}
    found = fuzz(schema_of(wrong, monolith.shop.url)).findings
    assert any("violates schema" in each for each in found), found
