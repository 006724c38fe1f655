"""The OpenAPI document of one contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from codegen.contract.loading import load
from codegen.openapi.document import document
from codegen.testing.compiling import request_for

if TYPE_CHECKING:
    from pathlib import Path

CONTRACT = """\
syntax = "proto3";
package a.v1;
import "contract/v1/options.proto";
import "google/api/annotations.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
message Thing {
  string id = 1;
  string name = 2;
  bytes data = 3 [(contract.v1.rules) = {min_length: 1 max_length: 4}];
  repeated uint64 numbers = 4 [(contract.v1.rules) = {min_items: 1 max_items: 3 minimum: 1}];
  optional string code = 5 [(contract.v1.rules) = {pattern: "[a-z]|_" min_length: 1}];
  double share = 6 [(contract.v1.rules) = {minimum: -1 maximum: 0.5}];
  map<string, Thing> things = 7 [(contract.v1.rules).max_items = 2];
  oneof choice {
    sint32 count = 8 [(contract.v1.rules).minimum = 5];
  }
  message Gone {
    option (contract.v1.error) = {code: NOT_FOUND text: "It is gone."};
  }
}
message Asked {
  string id = 1;
  int32 size = 2 [(contract.v1.rules) = {minimum: 1 maximum: 9}];
}
service Reads {
  rpc Get(Asked) returns (google.protobuf.FieldMask) {
    option (google.api.http) = {get: "/v1/{id}"};
    option (contract.v1.method) = {errors: ["Thing.Gone"] access: {signed_in: true}};
  }
}
message Tick {
  string id = 1;
  string name = 2;
}
service Streams {
  rpc Watch(Tick) returns (stream Tick) {
    option (google.api.http) = {get: "/v1/{id}:watch"};
    option (contract.v1.method) = {
      access: {public: true}
      resume: {request_field: "name" response_field: "name"}
    };
  }
  rpc Talk(stream Tick) returns (stream Tick) {
    option (google.api.http) = {get: "/v1/{id}:talk"};
    option (contract.v1.method) = {access: {public: true}};
  }
}
service Writes {
  rpc Put(Thing) returns (google.protobuf.Empty) {
    option (google.api.http) = {put: "/v1/{name}" body: "*"};
    option (contract.v1.method) = {access: {roles: ["clerk", "owner"]}};
  }
}
"""


@pytest.fixture
def found(tmp_path: Path) -> Any:
    (tmp_path / "a.proto").write_text(CONTRACT)
    (file,) = load(request_for(tmp_path, ["a.proto"]), {})
    return document(file)


def test_paths_that_match_the_same_requests_are_one(found: Any) -> None:
    assert {path: set(item) for path, item in found["paths"].items()} == {
        "/v1/{id}": {"get", "put"},
        "/v1/{id}:watch": {"get"},
        "/v1/{id}:talk": {"get"},
    }
    (variable,) = found["paths"]["/v1/{id}"]["put"]["parameters"]
    assert (variable["name"], variable["in"]) == ("id", "path")


def test_a_nested_error_is_called_as_in_a_problem(found: Any) -> None:
    response = found["paths"]["/v1/{id}"]["get"]["responses"]["404"]
    _, schema = response["content"]["application/problem+json"]["schema"]["allOf"]
    assert schema["properties"]["error"] == {"const": "Gone"}


def test_google_s_empty_is_an_object_and_a_field_mask_a_text(found: Any) -> None:
    def answer(verb: str) -> Any:
        response = found["paths"]["/v1/{id}"][verb]["responses"]["200"]
        return response["content"]["application/json"]["schema"]

    assert (answer("get")["type"], answer("get")["format"]) == ("string", "field-mask")
    assert answer("put") == {"$ref": "#/components/schemas/google.protobuf.Empty"}
    assert found["components"]["schemas"]["google.protobuf.Empty"]["properties"] == {}


def test_an_operation_says_who_is_let_in_and_how_others_are_refused(found: Any) -> None:
    get, put = found["paths"]["/v1/{id}"]["get"], found["paths"]["/v1/{id}"]["put"]
    assert get["security"] == [{"bearer": []}]
    assert put["security"] == [{"bearer": ["clerk"]}, {"bearer": ["owner"]}]
    assert set(get["responses"]) == {"200", "401", "404", "default"}
    assert set(put["responses"]) == {"200", "401", "403", "default"}
    assert put["responses"]["403"]["description"] == "Only for the roles clerk or owner."
    scheme = found["components"]["securitySchemes"]["bearer"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")


def test_a_typed_error_may_share_the_status_of_a_refusal(tmp_path: Path) -> None:
    text = CONTRACT.replace("code: NOT_FOUND", "code: UNAUTHENTICATED").replace(
        "access: {signed_in: true}", "access: {public: true}"
    )
    (tmp_path / "a.proto").write_text(text)
    (file,) = load(request_for(tmp_path, ["a.proto"]), {})
    operation: Any = document(file)["paths"]["/v1/{id}"]["get"]  # type: ignore[index,call-overload]
    assert operation["security"] == [{}, {"bearer": []}]
    response = operation["responses"]["401"]
    assert response["description"] == "ThingGone\nThe token is not valid."
    schema = response["content"]["application/problem+json"]["schema"]
    assert [list(each) for each in schema["anyOf"]] == [["allOf"], ["$ref"]]


def test_an_error_that_says_when_to_ask_again_has_the_header_for_it(
    tmp_path: Path, found: Any
) -> None:
    text = CONTRACT.replace(
        'text: "It is gone."};', 'text: "It is gone." retry_after: "wait"};\n    uint32 wait = 1;'
    )
    (tmp_path / "a.proto").write_text(text)
    (file,) = load(request_for(tmp_path, ["a.proto"]), {})
    responses: Any = document(file)["paths"]["/v1/{id}"]["get"]["responses"]  # type: ignore[index,call-overload]
    assert responses["404"]["headers"]["Retry-After"]["schema"] == {"type": "integer", "minimum": 0}
    assert {status for status, each in responses.items() if "headers" in each} == {"404"}
    without = found["paths"]["/v1/{id}"]["get"]["responses"]
    assert not any("headers" in each for each in without.values())


def test_a_stream_of_answers_is_described_as_events_that_can_be_resumed(found: Any) -> None:
    operation = found["paths"]["/v1/{id}:watch"]["get"]
    tick = {"$ref": "#/components/schemas/a.v1.Tick"}
    (content,) = operation["responses"]["200"]["content"].items()
    assert content[0] == "text/event-stream"
    events = {
        each["properties"]["event"]["const"]: each["properties"]["data"]["contentSchema"]
        for each in content[1]["schema"]["anyOf"]
    }
    assert set(events) == {"message", "error", "end"}
    assert events["message"] == tick
    assert events["error"] == {"$ref": "#/components/schemas/Problem"}
    parameters = [(each["name"], each["in"]) for each in operation["parameters"]]
    assert parameters == [("id", "path"), ("name", "query"), ("Last-Event-ID", "header")]


def test_streams_both_ways_are_described_as_a_websocket(found: Any) -> None:
    operation = found["paths"]["/v1/{id}:talk"]["get"]
    assert {"101", "426"} < set(operation["responses"])
    assert "200" not in operation["responses"]
    websocket = operation["x-websocket"]
    assert websocket["sends"] == {"$ref": "#/components/schemas/a.v1.Tick"}
    assert set(websocket["receives"]["properties"]) == {"name"}


def test_rules_are_keywords_of_the_schema(found: Any) -> None:
    put = found["paths"]["/v1/{id}"]["put"]
    body = put["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["data", "numbers"]
    assert put["requestBody"]["required"] is True
    properties = body["properties"]
    assert (properties["data"]["minLength"], properties["data"]["maxLength"]) == (2, 8)
    assert properties["numbers"] == {
        "type": "array",
        "minItems": 1,
        "maxItems": 3,
        "items": {
            "type": "string",
            "format": "uint64",
            "pattern": "^[0-9]{1,20}$",
            "minimum": 1,
        },
    }
    assert properties["code"] == {"type": "string", "minLength": 1, "pattern": "^(?:[a-z]|_)$"}
    assert (properties["share"]["minimum"], properties["share"]["maximum"]) == (-1.0, 0.5)
    assert properties["things"]["maxProperties"] == 2
    assert (properties["count"]["minimum"], properties["count"]["maximum"]) == (5, 2**31 - 1)


def test_a_parameter_whose_default_breaks_a_rule_is_required(found: Any) -> None:
    _, size = found["paths"]["/v1/{id}"]["get"]["parameters"]
    assert (size["name"], size["required"]) == ("size", True)
    assert (size["schema"]["minimum"], size["schema"]["maximum"]) == (1, 9)
