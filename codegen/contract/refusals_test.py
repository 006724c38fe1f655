"""What the generators refuse, and that they say where and why."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from codegen.testing.compiling import PLUGINS, ProtocError, compile_contracts

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
syntax = "proto3";
package a.v1;
import "contract/v1/options.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/timestamp.proto";
"""


def refusal(
    tmp_path: Path, text: str, file: str = "a/v1/shop.proto", plugin: str = "records"
) -> str:
    """What protoc prints when a plugin refuses a contract."""
    path = tmp_path / "contracts" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    with pytest.raises(ProtocError) as refused:
        compile_contracts(
            tmp_path / "contracts", tmp_path / "out", [file], plugins=[plugin], python=False
        )
    printed = str(refused.value)
    assert "Traceback" not in printed
    # Of the importing of what is not used, protoc warns.
    lines = [line for line in printed.splitlines() if "warning:" not in line]
    return "\n".join(lines).removeprefix(f"--{plugin}_out: ")


def refusal_of(tmp_path: Path, body: str) -> str:
    """The same for what follows the header: lines count from 1 after it."""
    printed = refusal(tmp_path, HEADER + dedent(body).lstrip("\n"))
    file, line, rest = printed.split(":", 2)
    assert file == "a/v1/shop.proto"
    return f"{int(line) - HEADER.count(chr(10))}:{rest}"


@pytest.mark.parametrize("syntax", ["proto2", "editions"])
def test_other_syntaxes_are_refused(tmp_path: Path, syntax: str) -> None:
    first = 'edition = "2023";' if syntax == "editions" else f'syntax = "{syntax}";'
    printed = refusal(tmp_path, f"// Old.\n{first}\npackage a.v1;\nmessage M {{}}\n")
    assert f"a/v1/shop.proto:2:1: {syntax} is not supported" in printed


@pytest.mark.parametrize(
    "name", ["any.Any", "struct.Struct", "struct.Value", "field_mask.FieldMask", "empty.Empty"]
)
def test_other_well_known_types_are_refused(tmp_path: Path, name: str) -> None:
    file, message = name.split(".")
    text = f'syntax = "proto3";\npackage a.v1;\nimport "google/protobuf/{file}.proto";\n'
    text += f"message M {{\n  google.protobuf.{message} x = 1;\n}}\n"
    assert refusal(tmp_path, text) == (
        f"a/v1/shop.proto:5:3: google.protobuf.{message} is not supported; "
        "Timestamp, Duration and the wrappers are the supported types of google.protobuf"
    )


CASES = {
    "a required field without presence": (
        """
        message M {
          string x = 1 [(google.api.field_behavior) = REQUIRED];
        }
        """,
        "2:3: x: REQUIRED needs a field with presence; declare it optional, so that an absent value"
        " can be told from a default",
    ),
    "a required repeated field": (
        "message M { repeated string x = 1 [(google.api.field_behavior) = REQUIRED]; }",
        "1:13: x: REQUIRED needs a field with presence; a repeated field or map is never absent,"
        " only empty",
    ),
    "a required case of a oneof": (
        "message M { oneof c { string x = 1 [(google.api.field_behavior) = REQUIRED]; } }",
        "1:23: x: a case of a oneof cannot be REQUIRED",
    ),
    "two messages of one class name": (
        """
        message Ab { message C {} }
        message AbC {}
        """,
        "2:1: message a.v1.AbC and message a.v1.Ab.C would both become the class AbC",
    ),
    "a message called as another's exception": (
        """
        message E { option (contract.v1.error) = {code: ABORTED text: "No."}; }
        message EError {}
        """,
        "2:1: message a.v1.EError and the exception of a.v1.E would both become the class EError",
    ),
    "what Python's protobuf runtime refuses": (
        "message M { oneof class { int32 x = 1; } string class_ = 2; }",
        "-5:1: Couldn't build proto file into descriptor pool: duplicate json_name for (class_)"
        " with original field name (class)",
    ),
    "a field that Python would rename": (
        "message M { string __x = 1; }",
        "1:13: __x: names with two underscores in front are Python's own",
    ),
    "an error that is OK": (
        'message E {\n  option (contract.v1.error) = {text: "No."};\n}',
        "2:3: E: code must be a canonical code other than OK",
    ),
    "an error without a text": (
        "message E {\n  option (contract.v1.error) = {code: ABORTED};\n}",
        "2:3: E: text is missing; say in one sentence what happened",
    ),
    "a text that names an unknown field": (
        """
        message E {
          option (contract.v1.error) = {code: ABORTED text: "No {sku}."};
          string name = 1;
        }
        """,
        "2:3: E: text names {sku}, which the message does not have; it has name",
    ),
    "a text that names a list": (
        """
        message E {
          option (contract.v1.error) = {code: ABORTED text: "No {names}."};
          repeated string names = 1;
        }
        """,
        "2:3: E: text names {names}; only single scalars, enums, timestamps and durations that are"
        " always there fit in",
    ),
    "a text with a lone brace": (
        'message E { option (contract.v1.error) = {code: ABORTED text: "No {."}; }',
        "1:13: E: text has a brace without its counterpart",
    ),
    "a method that declares an unknown error": (
        """
        message M {}
        service S {
          rpc Get(M) returns (M) {
            option (contract.v1.method) = {errors: ["Gone"]};
          }
        }
        """,
        "4:5: Get: errors names Gone, which is no message here",
    ),
    "a method that declares what is no error": (
        """
        message M {}
        service S {
          rpc Get(M) returns (M) {
            option (contract.v1.method) = {errors: ["M"]};
          }
        }
        """,
        "4:5: Get: errors names M, which is no error: it has no option (contract.v1.error)",
    ),
    "a method with streams that is bound to HTTP": (
        """
        message M {}
        service S {
          rpc Watch(M) returns (stream M) {
            option (google.api.http) = {get: "/v1/watch"};
          }
        }
        """,
        "4:5: Watch: a method with streams cannot be bound to HTTP",
    ),
    "two methods of one name in Python": (
        "message M {}\nservice S {\n  rpc GetIt(M) returns (M);\n  rpc get_it(M) returns (M);\n}",
        "4:3: get_it and GetIt would both become the method get_it",
    ),
    "a method that takes a well-known type": (
        "message M {}\nservice S { rpc Get(google.protobuf.Timestamp) returns (M); }",
        "2:13: Get: google.protobuf.Timestamp is not supported; give the method a message of its"
        " own",
    ),
    "a timeout of nothing": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        "  option (contract.v1.method) = {timeout: {}}; } }",
        "3:3: Get: timeout must be longer than nothing",
    ),
    "an extension of a message": (
        'import "google/protobuf/descriptor.proto";\nmessage M {\n'
        "  extend google.protobuf.FieldOptions { string x = 50009; }\n}",
        "2:1: M: extensions are not supported",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_is_refused_where_it_stands(tmp_path: Path, what: str) -> None:
    body, expected = CASES[what]
    assert refusal_of(tmp_path, body) == expected


# Rules of a method that takes a message with fields of many kinds.
RULES = {
    '{custom: {kind: "HEAD" path: "/v1/x"}}': "custom pattern; expected one of get, put, post,"
    " delete, patch",
    '{body: "*"}': "no pattern; expected one of get, put, post, delete, patch",
    '{get: "v1/x"}': "path 'v1/x'; expected one that begins with / and does not end in it",
    '{get: "/v1/x/"}': "path '/v1/x/'; expected one that begins with / and does not end in it",
    '{get: "/v1/{id=things/*}"}': "path '/v1/{id=things/*}' has the segment '{id=things'; expected"
    " literals and variables of one segment, such as {sku}",
    '{get: "/v1/**"}': "path '/v1/**' has the segment '**'; expected literals and variables of one"
    " segment, such as {sku}",
    '{get: "/v1/{id}:cancel"}': "path '/v1/{id}:cancel' has the segment '{id}:cancel'; expected"
    " literals and variables of one segment, such as {sku}",
    '{get: "/v1/{nested.id}"}': "path '/v1/{nested.id}' has the segment '{nested.id}'; expected"
    " literals and variables of one segment, such as {sku}",
    '{get: "/v1/{nothing}"}': "the path binds nothing, which a.v1.M does not have",
    '{get: "/v1/{id}/{id}"}': "path '/v1/{id}/{id}' binds id twice",
    '{get: "/v1/{nested}"}': "the path binds nested, which is no single scalar or enum",
    '{get: "/v1/{tags}"}': "the path binds tags, which is no single scalar or enum",
    '{get: "/v1/{card}"}': "the path binds card, a case of a oneof, which is not supported",
    '{get: "/v1/x" body: "*"}': "a get has no body",
    '{delete: "/v1/x" body: "nested"}': "a delete has no body",
    '{post: "/v1/x" body: "nothing"}': "the body binds nothing, which a.v1.M does not have",
    '{post: "/v1/x" body: "id"}': "body 'id' is no single message; expected one, or '*'",
    '{post: "/v1/x" body: "*" response_body: "id"}': "response_body is not supported; the whole"
    " response is the body",
    '{patch: "/v1/x"}': "the query would bind nested, a message; put it into the body",
    '{post: "/v1/x" body: "nested"}': "the query would bind scores, a map; put it into the body",
    '{post: "/v1/x" body: "*" additional_bindings {get: "/v1/y"}}': "the query would bind nested, a"
    " message; put it into the body",
    '{post: "/v1/x" body: "*" additional_bindings {post: "/v1/y" body: "*" additional_bindings'
    ' {post: "/v1/z" body: "*"}}}': "additional_bindings must not have additional_bindings",
}


@pytest.mark.parametrize("rule", RULES)
def test_an_http_rule_is_refused(tmp_path: Path, rule: str) -> None:
    body = f"""
        service S {{
          rpc Call(M) returns (M) {{
            option (google.api.http) = {rule};
          }}
        }}
        message M {{
          string id = 1;
          M nested = 2;
          repeated string tags = 3;
          map<string, int32> scores = 4;
          oneof payment {{ string card = 5; }}
        }}
    """
    assert refusal_of(tmp_path, body) == f"3:5: Call: {RULES[rule]}"


def test_two_methods_with_the_same_request_line_are_refused(tmp_path: Path) -> None:
    body = """
        service S {
          rpc Get(M) returns (M) { option (google.api.http) = {get: "/v1/{id}"}; }
          rpc Find(M) returns (M) { option (google.api.http) = {get: "/v1/{name}"}; }
        }
        message M { string id = 1; string name = 2; }
    """
    assert refusal_of(tmp_path, body) == "3:29: Find: get /v1/{name} is also bound by Get"


def test_a_client_facing_contract_that_imports_an_internal_one_is_refused(tmp_path: Path) -> None:
    values = tmp_path / "contracts/a/v1/values.proto"
    internal = tmp_path / "contracts/b/v1/messagebus.proto"
    for path in (values, internal):
        path.parent.mkdir(parents=True)
    internal.write_text('syntax = "proto3";\npackage b.v1;\nmessage B {}\n')
    values.write_text('syntax = "proto3";\npackage a.v1;\nimport public "b/v1/messagebus.proto";\n')
    text = 'syntax = "proto3";\npackage a.v1;\nimport "{}";\nmessage A {{ b.v1.B b = 1; }}\n'
    reason = "client-facing contracts never import internal ones"
    assert refusal(tmp_path, text.format("b/v1/messagebus.proto"), "a/v1/api.proto") == (
        f"a/v1/api.proto:3:1: imports b/v1/messagebus.proto: {reason}"
    )
    assert refusal(tmp_path, text.format("a/v1/values.proto"), "a/v1/api.proto") == (
        f"a/v1/api.proto:3:1: imports b/v1/messagebus.proto (through a/v1/values.proto): {reason}"
    )


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    body = """
        message M {
          string __x = 1;
          string y = 2 [(google.api.field_behavior) = REQUIRED];
        }
    """
    assert len(refusal(tmp_path, HEADER + dedent(body)).splitlines()) == 2


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_refuses_what_one_refuses(tmp_path: Path, plugin: str) -> None:
    text = 'syntax = "proto3";\npackage a.v1;\nmessage M { string __x = 1; }\n'
    assert refusal(tmp_path, text, plugin=plugin).startswith("a/v1/shop.proto:3:13: __x: ")


def test_a_parameter_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.proto"
    path.write_text('syntax = "proto3";\n')
    with pytest.raises(ProtocError, match=r"expected M<file>\.proto=<python module>"):
        compile_contracts(
            tmp_path, tmp_path / "out", ["a.proto"], plugins=["bus"], modules={"a.proto": "a-b"}
        )


def test_a_contract_of_options_yields_nothing(tmp_path: Path) -> None:
    compile_contracts(tmp_path, tmp_path / "out", ["contract/v1/options.proto"], python=False)
    assert not list((tmp_path / "out").rglob("*.py"))
