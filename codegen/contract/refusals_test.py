"""What the generators refuse, and that they say where and why."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from codegen.plugin import respond
from codegen.python import records
from codegen.testing.compiling import PLUGINS, ProtocError, compile_contracts, request_for
from codegen.testing.public_methods import with_public_methods

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
syntax = "proto3";
package a.v1;
import "contract/v1/options.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/timestamp.proto";
"""


def answer(tmp_path: Path, text: str, file: str = "a/v1/shop.proto") -> str:
    """What a plugin says of a contract: why it is refused; empty when it is not."""
    path = tmp_path / "contracts" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(with_public_methods(text))
    response = respond(request_for(tmp_path / "contracts", [file]), records.generate)
    assert bool(response.error) != bool(response.file)
    return response.error


def refusal(tmp_path: Path, text: str, file: str = "a/v1/shop.proto") -> str:
    """Why a contract is refused."""
    said = answer(tmp_path, text, file)
    assert said
    return said


def refusal_of(tmp_path: Path, body: str) -> str:
    """The same for what follows the header: lines count from 1 after it."""
    printed = refusal(tmp_path, HEADER + dedent(body).lstrip("\n"))
    file, line, rest = printed.split(":", 2)
    assert file == "a/v1/shop.proto"
    return f"{int(line) - HEADER.count(chr(10))}:{rest}"


@pytest.mark.parametrize("syntax", ["proto2", "editions"])
def test_other_syntaxes_are_refused(tmp_path: Path, syntax: str) -> None:
    first = 'edition = "2023";' if syntax == "editions" else f'syntax = "{syntax}";'
    text = f"// Old.\n{first}\npackage a.v1;\nmessage M {{}}\n"
    path = tmp_path / "contracts/a/v1/shop.proto"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    # protoc itself refuses an edition that a plugin does not say it knows.
    with pytest.raises(ProtocError, match=rf"a/v1/shop\.proto:2:1: {syntax} is not supported"):
        compile_contracts(
            tmp_path / "contracts",
            tmp_path / "out",
            ["a/v1/shop.proto"],
            plugins=["records"],
            python=False,
        )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("any.Any", "what can hold anything is no contract; declare a oneof"),
        ("struct.Struct", "JSON without a shape is no contract; declare a message"),
        ("struct.Value", "JSON without a shape is no contract; declare a message"),
        ("struct.ListValue", "JSON without a shape is no contract; declare a message"),
        ("struct.NullValue", "JSON without a shape is no contract; declare a message"),
        (
            "api.Api",
            "of Google's types, Timestamp, Duration, Empty, FieldMask and the wrappers are",
        ),
    ],
)
def test_other_well_known_types_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    file, message = name.split(".")
    text = f'syntax = "proto3";\npackage a.v1;\nimport "google/protobuf/{file}.proto";\n'
    text += f"message M {{\n  google.protobuf.{message} x = 1;\n}}\n"
    assert refusal(tmp_path, text) == (
        f"a/v1/shop.proto:5:3: google.protobuf.{message} is not supported: {reason}"
    )


_ORDERS = "only a single string that is always there orders events"

_NO_ACCESS = (
    "access is missing; say who may call it, by one of public, signed_in, roles and callers in"
    " option (contract.v1.method)"
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
        "2:1: message a.v1.AbC and message a.v1.Ab.C (a/v1/shop.proto:8:14) would both become the"
        " class AbC",
    ),
    "a message called as another's exception": (
        """
        message E { option (contract.v1.error) = {code: ABORTED text: "No."}; }
        message EError {}
        """,
        "2:1: message a.v1.EError and the exception of a.v1.E (a/v1/shop.proto:8:1) would both"
        " become the class EError",
    ),
    "a field that Python would rename": (
        "message M { string __x = 1; }",
        "1:13: __x: names with an underscore in front are Python's own",
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
    "a time to ask again that is in no field": (
        """
        message E {
          option (contract.v1.error) = {code: ABORTED text: "No." retry_after: "seconds"};
          int32 wait = 1;
        }
        """,
        "2:3: E: retry_after names seconds, which the message does not have; it has wait",
    ),
    "a time to ask again that may be absent": (
        """
        message E {
          option (contract.v1.error) = {code: ABORTED text: "No." retry_after: "wait"};
          optional int32 wait = 1;
        }
        """,
        "2:3: E: retry_after names wait; only a single integer that is always there fits",
    ),
    "a text with a lone brace": (
        'message E { option (contract.v1.error) = {code: ABORTED text: "No {."}; }',
        "1:13: E: text has a brace without its counterpart",
    ),
    "an event without a key": (
        """
        message E {
          option (contract.v1.event) = {};
          string id = 1;
        }
        """,
        "2:3: E: key is missing; name the string field whose value orders events",
    ),
    "an event whose key names an unknown field": (
        """
        message E {
          option (contract.v1.event) = {key: "sku"};
          string id = 1;
          oneof what { string name = 2; }
        }
        """,
        "2:3: E: key names sku, which the message does not have; it has id, name",
    ),
    "an event whose key names a field of an empty message": (
        'message E { option (contract.v1.event) = {key: "sku"}; }',
        "1:13: E: key names sku, which the message does not have",
    ),
    "an event whose key can be absent": (
        'message E { option (contract.v1.event) = {key: "id"}; optional string id = 1; }',
        f"1:13: E: key names id; {_ORDERS}",
    ),
    "an event whose key is a case of a oneof": (
        'message E { option (contract.v1.event) = {key: "id"}; oneof what { string id = 1; } }',
        f"1:13: E: key names id; {_ORDERS}",
    ),
    "an event whose key is a list": (
        'message E { option (contract.v1.event) = {key: "id"}; repeated string id = 1; }',
        f"1:13: E: key names id; {_ORDERS}",
    ),
    "an event whose key is a map": (
        'message E { option (contract.v1.event) = {key: "id"}; map<string, string> id = 1; }',
        f"1:13: E: key names id; {_ORDERS}",
    ),
    "an event whose key is a number": (
        'message E { option (contract.v1.event) = {key: "id"}; int64 id = 1; }',
        f"1:13: E: key names id; {_ORDERS}",
    ),
    "an event whose key is a message": (
        'message E { option (contract.v1.event) = {key: "id"}; E id = 1; }',
        f"1:13: E: key names id; {_ORDERS}",
    ),
    "a subscriber that is no service": (
        """
        message E {
          option (contract.v1.event) = {key: "id" subscribers: ["Search"]};
          string id = 1;
        }
        """,
        "2:3: E: subscribers names 'Search'; expected a word such as front_desk",
    ),
    "a subscriber twice": (
        """
        message E {
          option (contract.v1.event) = {key: "id" subscribers: ["search", "search"]};
          string id = 1;
        }
        """,
        "2:3: E: subscribers names search twice",
    ),
    "an event that is an error, too": (
        """
        message E {
          option (contract.v1.error) = {code: ABORTED text: "No."};
          option (contract.v1.event) = {key: "id"};
          string id = 1;
        }
        """,
        "3:3: E: a message is an error or an event, not both",
    ),
    "an event beside routes": (
        """
        message E { option (contract.v1.event) = {key: "id"}; string id = 1; }
        service S {
          rpc Get(E) returns (E) {
            option (google.api.http) = {get: "/v1/{id}"};
          }
        }
        """,
        "1:13: E: services publish events to each other; declare it in messagebus.proto",
    ),
    "a method that declares an event as an error": (
        """
        message E { option (contract.v1.event) = {key: "id"}; string id = 1; }
        service S {
          rpc Get(E) returns (E) {
            option (contract.v1.method) = {errors: ["E"]};
          }
        }
        """,
        "4:5: Get: errors names E, which is no error: it has no option (contract.v1.error)",
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
    "a stream of requests with one answer that is bound to HTTP": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(stream M) returns (M) {
            option (google.api.http) = {get: "/v1/watch"};
          }
        }
        """,
        "4:5: Watch: a stream of requests with one answer cannot be bound to HTTP",
    ),
    "a stream that is bound by another verb than get": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(M) returns (stream M) {
            option (google.api.http) = {post: "/v1/watch" body: "*"};
          }
        }
        """,
        "4:5: Watch: a stream is bound by get: to server-sent events, or to a WebSocket",
    ),
    "a WebSocket whose opening request cannot be whole": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(stream M) returns (stream M) {
            option (google.api.http) = {get: "/v1/watch"};
          }
        }
        """,
        "4:5: Watch: the opening request would lack d; let it be optional",
    ),
    "a position of a method without a stream": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(M) returns (M) {
            option (contract.v1.method) = {resume: {request_field: "a" response_field: "a"}};
          }
        }
        """,
        "4:5: Watch: resume is for a method that answers with a stream, to one request or to a"
        " stream",
    ),
    "a position that the request does not have": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(M) returns (stream M) {
            option (contract.v1.method) = {resume: {request_field: "x" response_field: "a"}};
          }
        }
        """,
        "4:5: Watch: resume names 'x' as request_field; expected an int64, uint64 or string of the"
        " request that is always there",
    ),
    "a position that can be absent": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(M) returns (stream M) {
            option (contract.v1.method) = {resume: {request_field: "a" response_field: "c"}};
          }
        }
        """,
        "4:5: Watch: resume names 'c' as response_field; expected an int64, uint64 or string of the"
        " response that is always there",
    ),
    "a position in a list of messages": (
        """
        message M { int64 a = 1; repeated M d = 2; }
        service S {
          rpc Talk(stream M) returns (stream M) {
            option (contract.v1.method) = {resume: {request_field: "a" response_field: "d.a"}};
          }
        }
        """,
        "4:5: Talk: resume names 'd.a' as response_field; d is no single message there",
    ),
    "a position that a message of the response does not have": (
        """
        message M { int64 a = 1; M one = 2; }
        service S {
          rpc Talk(stream M) returns (stream M) {
            option (contract.v1.method) = {resume: {request_field: "a" response_field: "one.x"}};
          }
        }
        """,
        "4:5: Talk: resume names 'one.x' as response_field; expected an int64, uint64 or string of"
        " the response that is always there",
    ),
    "an event whose position may be absent with its message": (
        """
        message M { int64 a = 1; M one = 2; }
        service S {
          rpc Watch(M) returns (stream M) {
            option (contract.v1.method) = {resume: {request_field: "a" response_field: "one.a"}};
          }
        }
        """,
        "4:5: Watch: resume names 'one.a' as response_field; expected an int64, uint64 or string of"
        " the response that is always there",
    ),
    "a position of two types": (
        """
        message M { int64 a = 1; string b = 2; optional int64 c = 3; repeated M d = 4; }
        service S {
          rpc Watch(M) returns (stream M) {
            option (contract.v1.method) = {resume: {request_field: "a" response_field: "b"}};
          }
        }
        """,
        "4:5: Watch: resume names fields of two types; expected one type",
    ),
    "two methods of one name in Python": (
        "message M {}\nservice S {\n  rpc GetIt(M) returns (M);\n  rpc get_it(M) returns (M);\n}",
        "4:3: method a.v1.S.get_it and method a.v1.S.GetIt (a/v1/shop.proto:10:3) would both become"
        " the method get_it",
    ),
    "a method that takes a well-known type": (
        "message M {}\nservice S { rpc Get(google.protobuf.Timestamp) returns (M); }",
        "2:13: Get: google.protobuf.Timestamp is not supported: it is a value, not a record; give"
        " the method a message of its own",
    ),
    "a timeout of nothing": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        "  option (contract.v1.method) = {timeout: {}}; } }",
        "3:3: Get: timeout must be longer than nothing",
    ),
    "a timeout that no transport keeps": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        "  option (contract.v1.method) = {timeout: {seconds: 315576000000}}; } }",
        "3:3: Get: timeout must be at most a year; no transport keeps more",
    ),
    "access that says nothing": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        "  option (contract.v1.method) = {timeout: {seconds: 1} access: {}}; } }",
        f"3:3: Get: {_NO_ACCESS}",
    ),
    "access for nobody": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        "  option (contract.v1.method) = {access: {public: false roles: []}}; } }",
        f"3:3: Get: {_NO_ACCESS}",
    ),
    "access that says two things": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (contract.v1.method) = {access: {public: true callers: ["a"]}}; } }',
        "3:3: Get: access has public and callers; expected exactly one of them",
    ),
    "a role without a name": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (contract.v1.method) = {access: {roles: ["agent", ""]}}; } }',
        "3:3: Get: access: roles names ''; expected a word such as front_desk",
    ),
    "a role with capitals": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (contract.v1.method) = {access: {roles: ["Front-Desk"]}}; } }',
        "3:3: Get: access: roles names 'Front-Desk'; expected a word such as front_desk",
    ),
    "a role twice": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (contract.v1.method) = {access: {roles: ["agent", "agent"]}}; } }',
        "3:3: Get: access: roles names agent twice",
    ),
    "a caller that is no service": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (contract.v1.method) = {access: {callers: ["orders.v1"]}}; } }',
        "3:3: Get: access: callers names 'orders.v1'; expected a word such as front_desk",
    ),
    "a caller of what clients call": (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (google.api.http) = {get: "/v1/m"};\n'
        '  option (contract.v1.method) = {access: {callers: ["orders"]}}; } }',
        "4:3: Get: access names callers, which are services, and clients reach the method; declare"
        " it in messagebus.proto, or say public, signed_in or roles",
    ),
    "rules that say nothing": (
        "message M { string x = 1 [(contract.v1.rules) = {}]; }",
        "1:13: x: rules say nothing; leave the option out",
    ),
    "a length of a number": (
        "message M { int32 x = 1 [(contract.v1.rules).max_length = 1]; }",
        "1:13: x: max_length is a rule for a string or bytes",
    ),
    "a pattern of bytes": (
        'message M { bytes x = 1 [(contract.v1.rules).pattern = "a"]; }',
        "1:13: x: pattern is a rule for a string",
    ),
    "a minimum of a text": (
        "message M { optional string x = 1 [(contract.v1.rules).minimum = 1]; }",
        "1:13: x: minimum is a rule for a number",
    ),
    "a maximum of a bool": (
        "message M { bool x = 1 [(contract.v1.rules).maximum = 1]; }",
        "1:13: x: maximum is a rule for a number",
    ),
    "a minimum of an enum": (
        "enum E { A = 0; }\nmessage M { E x = 1 [(contract.v1.rules).minimum = 1]; }",
        "2:13: x: minimum is a rule for a number",
    ),
    "a maximum of a timestamp": (
        "message M { google.protobuf.Timestamp x = 1 [(contract.v1.rules).maximum = 1]; }",
        "1:13: x: maximum is a rule for a number",
    ),
    "a length of a message": (
        "message M { M x = 1 [(contract.v1.rules).min_length = 1]; }",
        "1:13: x: min_length is a rule for a string or bytes",
    ),
    "items of a single value": (
        "message M { string x = 1 [(contract.v1.rules).max_items = 1]; }",
        "1:13: x: max_items is a rule for a repeated field or a map",
    ),
    "a rule for the values of a map": (
        "message M { map<string, string> x = 1 [(contract.v1.rules).max_length = 1]; }",
        "1:13: x: max_length is a rule for a string or bytes; put the map's values into a message"
        " with rules of its own",
    ),
    "a greatest length of nothing": (
        "message M { string x = 1 [(contract.v1.rules).max_length = 0]; }",
        "1:13: x: max_length is 0, which says nothing; expected at least 1",
    ),
    "a least number of items of nothing": (
        "message M { repeated M x = 1 [(contract.v1.rules).min_items = 0]; }",
        "1:13: x: min_items is 0, which says nothing; expected at least 1",
    ),
    "lengths that contradict each other": (
        "message M { string x = 1 [(contract.v1.rules) = {min_length: 3 max_length: 2}]; }",
        "1:13: x: min_length is more than max_length, so that no value is accepted",
    ),
    "numbers that contradict each other": (
        "message M { double x = 1 [(contract.v1.rules) = {minimum: 0.5 maximum: 0.25}]; }",
        "1:13: x: minimum is more than maximum, so that no value is accepted",
    ),
    "numbers of items that contradict each other": (
        "message M { map<int32, M> x = 1 [(contract.v1.rules) = {min_items: 3 max_items: 2}]; }",
        "1:13: x: min_items is more than max_items, so that no value is accepted",
    ),
    "a minimum that is not a number": (
        "message M { double x = 1 [(contract.v1.rules).minimum = nan]; }",
        "1:13: x: minimum is nan; expected a number",
    ),
    "a maximum without end": (
        "message M { double x = 1 [(contract.v1.rules).maximum = inf]; }",
        "1:13: x: maximum is inf; expected a number",
    ),
    "a fraction for an integer": (
        "message M { int32 x = 1 [(contract.v1.rules).maximum = 1.5]; }",
        "1:13: x: maximum is 1.5; expected an integer, as the field holds",
    ),
    "a bound that an integer cannot be": (
        "message M { uint32 x = 1 [(contract.v1.rules).minimum = -1]; }",
        "1:13: x: minimum is -1, which no uint32 can be",
    ),
    "a bound that a double cannot tell from others": (
        "message M { uint64 x = 1 [(contract.v1.rules).maximum = 9007199254740994]; }",
        "1:13: x: maximum is beyond 2^53, which not every reader of a rule can tell apart",
    ),
    "a bound that a float cannot be": (
        "message M { float x = 1 [(contract.v1.rules).maximum = 0.1]; }",
        "1:13: x: maximum is 0.1, which a float cannot be; take its closest value, or a double",
    ),
    "a bound that is too large for a float": (
        'import "google/protobuf/wrappers.proto";\n'
        "message M { google.protobuf.FloatValue x = 1 [(contract.v1.rules).maximum = 1e300]; }",
        "2:13: x: maximum is 1e+300, which a float cannot be; take its closest value, or a double",
    ),
    "a pattern that goes back": (
        'message M { string x = 1 [(contract.v1.rules).pattern = "(?:a+)+"]; }',
        "1:13: x: pattern: a+ and what follows it can both begin with 'a', so that the next"
        " character does not decide",
    ),
    "a check of one name in Python": (
        """
        message Order { string x = 1 [(contract.v1.rules).max_length = 1]; }
        message ORDER { string x = 1 [(contract.v1.rules).max_length = 1]; }
        """,
        "2:1: message a.v1.ORDER and message a.v1.Order (a/v1/shop.proto:8:1) would both become the"
        " constant ORDER",
    ),
    "a method whose request is another library's": (
        'import "google/rpc/status.proto";\nmessage M {}\n'
        "service S { rpc Get(M) returns (google.rpc.Status); }",
        "3:13: Get: google.rpc.Status is not supported: of Google's types, Timestamp, Duration,"
        " Empty, FieldMask and the wrappers are",
    ),
    "a field mask as a request over HTTP": (
        "message M {}\n"
        "service S { rpc Get(google.protobuf.FieldMask) returns (M) {\n"
        '  option (google.api.http) = {post: "/v1/x" body: "*"}; } }',
        "3:3: Get: a request over HTTP is a JSON object, and a FieldMask is a string",
    ),
    "a type that the file of options declares": (
        "message M { contract.v1.ErrorOptions x = 1; }",
        "1:13: contract.v1.ErrorOptions is not supported: contract/v1/options.proto declares"
        " options of contracts, from which no records are generated",
    ),
    "a service beside options": (
        'import "google/protobuf/descriptor.proto";\n'
        "extend google.protobuf.FieldOptions { string x = 50009; }\n"
        "message M {}\nservice S {}",
        "4:1: nothing is generated from a file that declares options; put services into another",
    ),
    "a type that is hidden in Python": (
        """
        message Item {}
        message Outer {
          message Item {}
          .a.v1.Item x = 1;
        }
        """,
        "4:3: a.v1.Item is hidden by a.v1.Outer.Item; rename one of them",
    ),
    "a type that a value hides in Python": (
        """
        message Item {}
        message Outer {
          enum Kind { Item = 0; }
          .a.v1.Item x = 1;
        }
        """,
        "4:3: a.v1.Item is hidden by a.v1.Outer.Item; rename one of them",
    ),
    "a method that is bound to one path twice": (
        """
        message M { string id = 1; }
        service S {
          rpc Get(M) returns (M) {
            option (google.api.http) = {get: "/v1/{id}" additional_bindings {get: "/v1/{id}"}};
          }
        }
        """,
        "4:5: Get: get /v1/{id} is bound by a.v1.S.Get (a/v1/shop.proto:11:5) already",
    ),
    "two services with one path": (
        """
        message M { string id = 1; }
        service S { rpc Get(M) returns (M) { option (google.api.http) = {get: "/v1/{id}"}; } }
        service T { rpc Get(M) returns (M) { option (google.api.http) = {get: "/v1/{id}"}; } }
        """,
        "3:38: Get: get /v1/{id} is bound by a.v1.S.Get (a/v1/shop.proto:9:38) already",
    ),
    "an extension of a message": (
        'import "google/protobuf/descriptor.proto";\nmessage M {\n'
        "  extend google.protobuf.FieldOptions { string x = 50009; }\n}",
        "2:1: M: extensions are not supported",
    ),
}


ERROR = 'option (contract.v1.error) = {code: ABORTED text: "No."}; '
BOUND = 'option (google.api.http) = {post: "/v1/%s" body: "*"}; '

# Two things that would get one name in generated code; the second, the first, and the name.
CLASHES = {
    "message Ab { enum C { X = 0; } }\nenum AbC { Y = 0; }": (
        "enum a.v1.AbC",
        "enum a.v1.Ab.C",
        "class AbC",
    ),
    "message M { oneof x { string y = 1; } }\nmessage MX {}": (
        "message a.v1.MX",
        "oneof a.v1.M.x",
        "class MX",
    ),
    "message M { oneof x { string y = 1; } }\nmessage MXY {}": (
        "message a.v1.MXY",
        "field a.v1.M.y",
        "class MXY",
    ),
    "message M { oneof x_y { string a = 1; }\noneof xY { string b = 2; } }": (
        "oneof a.v1.M.xY",
        "oneof a.v1.M.x_y",
        "class MXY",
    ),
    "message M { oneof x { string y_z = 1;\nstring Y_z = 2; } }": (
        "field a.v1.M.Y_z",
        "field a.v1.M.y_z",
        "class MXYZ",
    ),
    "message HTTPRule {}\nmessage HttpRule {}": (
        "message a.v1.HttpRule",
        "message a.v1.HTTPRule",
        "constant HTTP_RULE",
    ),
    "enum HTTPRule { X = 0; }\nenum HttpRule { Y = 0; }": (
        "enum a.v1.HttpRule",
        "enum a.v1.HTTPRule",
        "constant HTTP_RULE_NUMBERS",
    ),
    "enum Order { X = 0; }\nmessage OrderNumbers {}": (
        "message a.v1.OrderNumbers",
        "enum a.v1.Order",
        "constant ORDER_NUMBERS",
    ),
    "enum HTTPRule { X = 0; }\nmessage HttpRule {}": (
        "message a.v1.HttpRule",
        "enum a.v1.HTTPRule",
        "function http_rule_to_json",
    ),
    "message M { oneof class { string x = 1; }\nstring class_ = 2 [json_name = 'k']; }": (
        "field a.v1.M.class_",
        "oneof a.v1.M.class",
        "attribute class_",
    ),
    "message M { string a = 1 [json_name = 'b'];\nstring b = 2 [json_name = 'c']; }": (
        "field a.v1.M.b",
        "field a.v1.M.a",
        "name in JSON b",
    ),
    "message M { oneof class { string x = 1; }\nstring class_ = 2; }": (
        "field a.v1.M.class_",
        "oneof a.v1.M.class",
        "name in JSON class",
    ),
    "message M {}\nservice Order { rpc Events(M) returns (M); }\n"
    "service OrderEvents { rpc Get(M) returns (M); }": (
        "service a.v1.OrderEvents",
        "method a.v1.Order.Events",
        "constant ORDER_EVENTS",
    ),
    "message M {}\nservice Cart { rpc ItemGet(M) returns (M); }\n"
    "service CartItem { rpc Get(M) returns (M); }": (
        "method a.v1.CartItem.Get",
        "method a.v1.Cart.ItemGet",
        "constant CART_ITEM_GET",
    ),
    "service HTTPRule {}\nservice HttpRule {}": (
        "service a.v1.HttpRule",
        "service a.v1.HTTPRule",
        "constant HTTP_RULE",
    ),
    "message M {}\nservice S {\n  rpc Get(M) returns (M) { option (google.api.http) = "
    '{post: "/v1/a" body: "*" additional_bindings {post: "/v1/b" body: "*"}}; }\n'
    "  rpc Get_2(M) returns (M) { " + BOUND % "c" + "} }": (
        "method a.v1.S.Get_2",
        "method a.v1.S.Get",
        "function get_2",
    ),
    "message M {}\nservice S {\n  rpc Api(M) returns (M) { " + BOUND % "a" + "}\n"
    "  rpc Api_(M) returns (M) { " + BOUND % "b" + "} }": (
        "method a.v1.S.Api_",
        "method a.v1.S.Api",
        "function api_",
    ),
    "message M {}\nservice A { rpc B_C(M) returns (M) { " + BOUND % "a" + "} }\n"
    "service A_B { rpc C(M) returns (M) { " + BOUND % "b" + "} }": (
        "method a.v1.A_B.C",
        "method a.v1.A.B_C",
        "constant A_B_C",
    ),
}


@pytest.mark.parametrize("body", CLASHES)
def test_two_things_of_one_name_are_refused_with_both_places(tmp_path: Path, body: str) -> None:
    second, first, name = CLASHES[body]
    said = refusal(tmp_path, HEADER + body)
    place = r"a/v1/shop\.proto:\d+:\d+"
    expected = (
        f"{place}: {re.escape(second)} and {re.escape(first)} \\({place}\\) would both become"
    )
    assert re.fullmatch(f"{expected} the {name}", said), said
    # Each stands on a line of its own.
    lines = [int(line) for line in re.findall(r"\.proto:(\d+):", said)]
    assert len(set(lines)) == 2
    assert lines[0] > lines[1]


RESERVED = {
    "message {} {{}}": ["None", "True", "class", "int", "str", "datetime", "Warning", "_X"],
    "enum {} {{ X = 0; }}": ["None", "False", "tuple", "ValueError", "_X"],
    "service {} {{}}": ["None", "lambda", "list", "_S"],
    "message M {{ message {} {{}} }}": [
        "None",
        "bytes",
        "datetime",
        "Clear",
        "_X",
        "X_FIELD_NUMBER",
    ],
    "message M {{ enum {} {{ X = 0; }} }}": ["None", "float", "HasField", "_X"],
    "message M {{ string {} = 1; }}": ["_x", "__x", "__init__", "HasField", "Y_FIELD_NUMBER"],
    "message M {{ oneof {} {{ string x = 1; }} }}": ["_x", "__x", "__class__"],
    "enum E {{ {} = 0; }}": ["None", "class", "_missing_", "__init__", "_X", "DESCRIPTOR"],
    "message M {{ enum E {{ {} = 0; }} }}": ["None", "import", "_missing_", "Clear"],
    "message M {{}}\nservice S {{ rpc {}(M) returns (M); }}": ["None", "class", "__init__", "_Get"],
    "message {} {{}}  // In the file.": ["DESCRIPTOR"],
    "message Value {{ message {} {{}} }}": ["Error"],
    "message Import {{ enum {} {{ X = 0; }} }}": ["Error"],
    "message {} {{ option (contract.v1.error) = {{code: ABORTED text: 'No.'}}; }}": ["Value"],
}


@pytest.mark.parametrize(
    ("declaration", "name"), [(each, name) for each, listed in RESERVED.items() for name in listed]
)
def test_a_name_that_python_cannot_have_is_refused(
    tmp_path: Path, declaration: str, name: str
) -> None:
    (said,) = refusal(tmp_path, HEADER + declaration.format(name)).splitlines()
    line = HEADER.count("\n") + 1 + declaration.count("\n")
    assert re.match(rf"a/v1/shop\.proto:{line}:\d+: .*\b{name}", said), said


ALLOWED = {
    "message {} {{}}": ["Record", "Mapping", "Final", "Any", "Code", "match", "type_", "Empty"],
    "message M {{ string {} = 1; string other_field = 2; repeated int32 more = 3; }}": [
        *("int", "str", "datetime", "value", "message", "self", "cls", "mro", "name", "tuple"),
        *("Mapping", "Final", "Record", "item", "key", "property", "class", "None", "match"),
    ],
    "enum E {{ E_UNSPECIFIED = 0; {} = 1; }}": [
        *("int", "str", "value", "name", "mro", "self", "cls", "property", "real", "E_None"),
    ],
    "message M {{}}\nservice S {{ rpc {}(M) returns (stream M); }}": [
        *("int", "str", "value", "message", "self", "cls", "mro", "stub", "Class", "Stub_", "Api"),
    ],
}


@pytest.mark.parametrize(
    ("declaration", "name"), [(each, name) for each, listed in ALLOWED.items() for name in listed]
)
def test_a_name_that_only_looks_like_trouble_is_accepted(
    tmp_path: Path, declaration: str, name: str
) -> None:
    assert answer(tmp_path, HEADER + declaration.format(name)) == ""


MODULES = {
    "class/v1/api.proto": "no module of Python can be called 'class'",
    "a/1/api.proto": "no module of Python can be called '1'",
    "a/v1/import.proto": "no module of Python can be called 'import'",
    "a/v1/a b.proto": "no module of Python can be called 'a b'",
    "calendar/v1/api.proto": "Python has a module 'calendar' already; call the folder differently",
    "seam/v1/api.proto": "Python has a module 'seam' already; call the folder differently",
    "json.proto": "Python has a module 'json' already; call the folder differently",
}


@pytest.mark.parametrize("file", MODULES)
def test_a_file_that_no_module_can_be_called_after_is_refused(tmp_path: Path, file: str) -> None:
    text = 'syntax = "proto3";\npackage a.v1;\nmessage M {}\n'
    assert refusal(tmp_path, text, file).splitlines()[0] == f"{file}:1:1: {MODULES[file]}"


@pytest.mark.parametrize(
    ("other", "module"),
    [
        ("a/v1/sh-op.proto", "a.v1.sh_op_pb2"),
        ("a/v1/sh_op_pb2.proto", "a.v1.sh_op_pb2"),
        ("a/v1/sh_op_wire.proto", "a.v1.sh_op_wire"),
        ("a/v1/sh_op_bus.proto", "a.v1.sh_op_bus"),
        ("a/v1/sh_op_routes.proto", "a.v1.sh_op_routes"),
        ("a/v1/sh_op/values.proto", "a.v1.sh_op"),
        ("a/v1.proto", "a.v1"),
    ],
)
def test_two_files_of_one_module_are_refused(tmp_path: Path, other: str, module: str) -> None:
    path = tmp_path / "contracts" / other
    path.parent.mkdir(parents=True)
    path.write_text('syntax = "proto3";\npackage b.v1;\nmessage B {}\n')
    text = f'{HEADER}import "{other}";\nmessage M {{ b.v1.B b = 1; }}\n'
    text += "service S { rpc Get(M) returns (M) { " + BOUND % "x" + "} }"
    said = refusal(tmp_path, text, "a/v1/sh_op.proto")
    assert f"would both become the module {module}" in said
    assert other in said
    assert "a/v1/sh_op.proto" in said


@pytest.mark.parametrize("suffix", ["events", "asyncapi"])
def test_a_file_called_as_a_module_of_events_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"contracts/a/v1/shop_{suffix}.proto"
    path.parent.mkdir(parents=True)
    path.write_text('syntax = "proto3";\npackage b.v1;\nmessage B {}\n')
    text = f'{HEADER}import "a/v1/shop_{suffix}.proto";\n'
    text += 'message E { option (contract.v1.event) = {key: "id"}; string id = 1; b.v1.B b = 2; }\n'
    said = refusal(tmp_path, text)
    assert f"would both become the module a.v1.shop_{suffix}" in said
    assert not answer(tmp_path, text.replace('option (contract.v1.event) = {key: "id"};', ""))


def test_a_type_of_a_contract_that_is_not_generated_from_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "contracts/b/v1/old.proto"
    path.parent.mkdir(parents=True)
    path.write_text('syntax = "proto2";\npackage b.v1;\nmessage Old { required string x = 1; }\n')
    text = 'syntax = "proto3";\npackage a.v1;\nimport "b/v1/old.proto";\n'
    assert refusal(tmp_path, text + "message M { b.v1.Old x = 1; }") == (
        "a/v1/shop.proto:4:13: b.v1.Old is not supported: b/v1/old.proto is not written in proto3"
    )


def test_a_message_called_as_the_schema_of_errors_is_refused(tmp_path: Path) -> None:
    text = (
        HEADER.replace("package a.v1;\n", "") + "message Problem {}\nservice S { rpc Get(Problem)"
    )
    text += " returns (Problem) { " + BOUND % "x" + "} }"
    said = refusal(tmp_path, text)
    assert said.startswith("a/v1/shop.proto:7:1: message Problem and the schema of all errors")


def test_a_comment_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.proto"
    path.write_bytes(b'syntax = "proto3";\npackage a;\n// caf\xe9\nmessage M {}\n')
    response = respond(request_for(tmp_path, ["a.proto"]), records.generate)
    assert response.error == "a.proto:4:1: the comment is no UTF-8 text"


@pytest.mark.parametrize("what", CASES)
def test_is_refused_where_it_stands(tmp_path: Path, what: str) -> None:
    body, expected = CASES[what]
    assert refusal_of(tmp_path, body) == expected


# Rules of a method that takes a message with fields of many kinds.
RULES = {
    '{custom: {kind: "HEAD" path: "/v1/x"}}': "custom pattern; expected one of get, put, post,"
    " delete, patch",
    '{body: "*"}': "no pattern; expected one of get, put, post, delete, patch",
    '{get: "/readyz"}': "path '/readyz' is answered by the process itself",
    '{post: "/schema" body: "*"}': "path '/schema' is answered by the process itself",
    '{get: "/healthz"}': "path '/healthz' is answered by the process itself",
    '{get: "/v1/../x"}': "path '/v1/../x' has '..', which clients resolve",
    '{get: "/v1/./x"}': "path '/v1/./x' has '.', which clients resolve",
    '{get: "//x"}': "path '//x' has the segment ''; expected literals and variables of one segment,"
    " such as {sku}",
    '{get: "/v1//x"}': "path '/v1//x' has the segment ''; expected literals and variables of one"
    " segment, such as {sku}",
    '{get: "/v1/{id"}': "path '/v1/{id' has the segment '{id'; expected literals and variables of"
    " one segment, such as {sku}",
    '{get: "/v1/id}"}': "path '/v1/id}' has the segment 'id}'; expected literals and variables of"
    " one segment, such as {sku}",
    '{get: "/v1/{}"}': "path '/v1/{}' has the segment '{}'; expected literals and variables of one"
    " segment, such as {sku}",
    '{get: "/v1/a%2Fb"}': "path '/v1/a%2Fb' has the segment 'a%2Fb'; expected literals and"
    " variables of one segment, such as {sku}",
    '{get: "/v1/x?y"}': "path '/v1/x?y' has the segment 'x?y'; expected literals and variables of"
    " one segment, such as {sku}",
    '{get: "/v1/{mask}"}': "the path binds mask, which is no single scalar or enum",
    '{get: "/v1/{nothing_at_all}"}': "the path binds nothing_at_all, which a.v1.M does not have",
    '{get: "v1/x"}': "path 'v1/x'; expected one that begins with / and does not end in it",
    '{get: "/v1/x/"}': "path '/v1/x/'; expected one that begins with / and does not end in it",
    '{get: "/v1/{id=things/*}"}': "path '/v1/{id=things/*}' has the segment '{id=things'; expected"
    " literals and variables of one segment, such as {sku}",
    '{get: "/v1/**"}': "path '/v1/**' has the segment '**'; expected literals and variables of one"
    " segment, such as {sku}",
    '{get: "/v1/{id}:cancel/now"}': "path '/v1/{id}:cancel/now' has the segment '{id}:cancel';"
    " expected literals and variables of one segment, such as {sku}",
    '{get: "/v1/:cancel"}': "path '/v1/:cancel' has a verb that follows nothing",
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
          google.protobuf.FieldMask mask = 6;
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
    assert refusal_of(tmp_path, body) == (
        "3:29: Find: get /v1/{name} is bound by a.v1.S.Get (a/v1/shop.proto:9:28) already"
    )


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


def test_an_event_that_clients_would_see_is_refused(tmp_path: Path) -> None:
    text = f'{HEADER}message E {{ option (contract.v1.event) = {{key: "id"}}; string id = 1; }}\n'
    reason = "services publish events to each other; declare it in messagebus.proto"
    assert refusal(tmp_path, text, "a/v1/api.proto") == f"a/v1/api.proto:8:13: E: {reason}"
    assert not answer(tmp_path, text, "a/v1/messagebus.proto")


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
    (tmp_path / "shop.proto").write_text(text)
    with pytest.raises(ProtocError) as refused:
        compile_contracts(
            tmp_path, tmp_path / "out", ["shop.proto"], plugins=[plugin], python=False
        )
    printed = str(refused.value)
    assert printed.startswith(f"--{plugin}_out: shop.proto:3:13: __x: ")
    assert "Traceback" not in printed


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


def test_a_method_without_a_policy_is_refused(tmp_path: Path) -> None:
    text = HEADER + (
        "message M {}\nservice S {\n  rpc Get(M) returns (M);\n  rpc Put(M) returns (M) {\n"
        "    option (contract.v1.method) = {timeout: {seconds: 1}};\n  }\n}\n"
    )
    (tmp_path / "shop.proto").write_text(text)
    response = respond(request_for(tmp_path, ["shop.proto"]), records.generate)
    line = HEADER.count("\n")
    assert response.error.splitlines() == [
        f"shop.proto:{line + 3}:3: Get: {_NO_ACCESS}",
        f"shop.proto:{line + 5}:5: Put: {_NO_ACCESS}",
    ]
    assert not response.file


def test_what_clients_see_has_no_callers_even_without_a_path(tmp_path: Path) -> None:
    text = HEADER + (
        "message M {}\nservice S { rpc Get(M) returns (M) {\n"
        '  option (contract.v1.method) = {access: {callers: ["orders"]}}; } }'
    )
    assert "clients reach the method" in refusal(tmp_path, text, "a/v1/api.proto")
    assert not answer(tmp_path, text, "a/v1/messagebus.proto")
