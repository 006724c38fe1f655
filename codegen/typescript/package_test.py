"""What becomes of contracts that the library does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from codegen.client.names import lower_first
from codegen.contract.loading import load
from codegen.testing.compiling import request_for
from codegen.typescript.package import package

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
syntax = "proto3";
package PACKAGE;
import "contract/v1/options.proto";
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
"""

OPTION = "option (contract.v1.method) = {access: {public: true}};"


def generate(folder: Path, **contracts: str) -> dict[str, str]:
    """Generate from contracts, each in a package of its file's name."""
    for name, text in contracts.items():
        header = HEADER.replace("PACKAGE", f"{name}.v1")
        (folder / f"{name}.proto").write_text(header + text)
    request = request_for(folder, [f"{name}.proto" for name in contracts])
    return dict(package(load(request, {}), "shop"))


def rpc(name: str, request: str, response: str, http: str) -> str:
    rule = f"option (google.api.http) = {{{http}}};"
    return f"rpc {name}({request}) returns ({response}) {{ {rule} {OPTION} }}\n"


def service(name: str, *methods: str) -> str:
    return f"service {name} {{ {''.join(methods)} }}"


LIST = """\
message Req { string query = 1; int32 page_size = 2; string page_token = 3; }
message Res { repeated Thing things = 1; string next_page_token = 2; }
message Thing { string id = 1; }
"""


def test_a_method_with_page_tokens_is_paged(tmp_path: Path) -> None:
    api = service("Api", rpc("List", "Req", "Res", 'get: "/v1/things"'))
    text = generate(tmp_path, a=LIST + api)["a.ts"]
    assert "readonly list: Paged<Req | void, Res, Thing, never>;" in text
    assert 'list: paged(connection, listMethod, "things"),' in text


@pytest.mark.parametrize(
    "messages",
    [
        LIST.replace("string page_token = 3;", ""),
        LIST.replace("string next_page_token = 2;", ""),
        LIST.replace(
            "string next_page_token = 2;", "string next_page_token = 2; repeated int32 n = 3;"
        ),
    ],
)
def test_a_method_that_lacks_something_of_a_page_is_not_paged(
    tmp_path: Path, messages: str
) -> None:
    api = service("Api", rpc("List", "Req", "Res", 'get: "/v1/things"'))
    assert "readonly list: Unary<" in generate(tmp_path, a=messages + api)["a.ts"]


TOKENS = """\
message SignIn { string name = 1; }
message Tokens { string access_token = 1; string refresh_token = 2; int32 expires_in = 3; }
message Token { string refresh_token = 1; }
message Done {}
"""


def test_methods_that_give_and_take_tokens_keep_the_session(tmp_path: Path) -> None:
    methods = [
        rpc("SignIn_", "SignIn", "Tokens", 'post: "/v1/in" body: "*"'),
        rpc("Renew", "Token", "Tokens", 'post: "/v1/renew" body: "*"'),
        rpc("Leave", "Token", "Done", 'post: "/v1/out" body: "*"'),
        rpc("Other", "SignIn", "Done", 'post: "/v1/other" body: "*"'),
    ]
    files = generate(tmp_path, a=TOKENS + service("Api", *methods))
    assert (
        "new Connection(options, { refresh: renewMethod, revoke: leaveMethod });"
        in (files["index.ts"])
    )
    assert files["a.ts"].count('session: "begins"') == 2
    assert files["a.ts"].count('session: "ends"') == 1


def test_services_of_one_name_are_called_after_their_packages(tmp_path: Path) -> None:
    contract = "message M { string id = 1; }" + (
        service("ThingApi", rpc("Get", "M", "M", 'get: "/v1/NAME/{id}"'))
    )
    index = generate(tmp_path, a=contract.replace("NAME", "a"), b=contract.replace("NAME", "b"))[
        "index.ts"
    ]
    assert "readonly aV1Thing: ThingClient;" in index
    assert "readonly bV1Thing: " in index


def test_what_is_sent_and_received_has_a_type_for_each(tmp_path: Path) -> None:
    contract = """\
message Part { string name = 1; google.protobuf.Timestamp at = 2; }
message Whole { string id = 1; Part part = 2; oneof what { string a = 3; Part b = 4; } }
"""
    api = service("Api", rpc("Put", "Whole", "Whole", 'put: "/v1/{id}" body: "*"'))
    text = generate(tmp_path, a=contract + api)["a.ts"]
    assert "export interface Part {\n  name: string;\n  at?: Timestamp;\n}" in text
    sent = "  name?: string | undefined;\n  at?: Timestamp | Date | undefined;\n"
    assert f"export interface PartInput {{\n{sent}}}" in text
    # The path needs it.
    assert "export interface WholeInput {\n  id: string;\n" in text
    assert '{ case: "b"; value: PartInput }' in text


def test_names_that_the_language_or_the_runtime_has_are_others(tmp_path: Path) -> None:
    contract = "message Date { string id = 1; } message Unary { string id = 1; Date date = 2; }"
    api = service("Api", rpc("Delete", "Date", "Unary", 'delete: "/v1/{id}"'))
    text = generate(tmp_path, a=contract + api)["a.ts"]
    assert "readonly delete: Unary<DateInput, Unary_, never>;" in text
    assert "  date?: Date_;" in text


def test_a_comment_cannot_end_the_comment_that_it_becomes(tmp_path: Path) -> None:
    contract = "// Ends */ early.\nmessage M { string id = 1; }"
    api = service("Api", rpc("Get", "M", "M", 'get: "/v1/{id}"'))
    assert "/** Ends *\\/ early. */" in generate(tmp_path, a=contract + api)["a.ts"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GetItem", "getItem"),
        ("HTTPRule", "httpRule"),
        ("URL", "url"),
        ("A", "a"),
        ("V1Thing", "v1Thing"),
    ],
)
def test_names_begin_with_a_small_letter(name: str, expected: str) -> None:
    assert lower_first(name) == expected


def test_a_contract_of_methods_alone_has_a_client(tmp_path: Path) -> None:
    shared = "message Req { string id = 1; }\nmessage Res {}\n"
    method = rpc("Get", "a.v1.Req", "a.v1.Res", 'get: "/v1/b"')
    files = generate(tmp_path, a=shared, b=f'import "a.proto";\n{service("Api", method)}')
    assert "export interface ApiClient {" in files["b.ts"]
    assert "apiClient(connection)" in files["index.ts"]
