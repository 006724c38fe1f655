"""What becomes of contracts that the library does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from codegen.contract.loading import load
from codegen.kotlin.package import package
from codegen.testing.compiling import request_for

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
syntax = "proto3";
package PACKAGE;
import "contract/v1/options.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/timestamp.proto";
"""

OPTION = "option (contract.v1.method) = {access: {public: true} ERRORS};"


def generate(folder: Path, **contracts: str) -> dict[str, str]:
    """Generate from contracts, each in a package of its file's name."""
    for name, text in contracts.items():
        path = folder / name / "v1/api.proto"
        path.parent.mkdir(parents=True)
        path.write_text(HEADER.replace("PACKAGE", f"{name}.v1") + text)
    request = request_for(folder, [f"{name}/v1/api.proto" for name in contracts])
    return dict(package(load(request, {}), "shop"))


def rpc(name: str, request: str, response: str, http: str, *errors: str) -> str:
    rule = f"option (google.api.http) = {{{http}}};"
    declared = f"errors: [{', '.join(repr(error) for error in errors)}]" if errors else ""
    option = OPTION.replace("ERRORS", declared)
    return f"rpc {name}({request}) returns ({response}) {{ {rule} {option} }}\n"


def service(name: str, *methods: str) -> str:
    return f"service {name} {{ {''.join(methods)} }}"


LIST = """\
message Req { string query = 1; int32 page_size = 2; string page_token = 3; }
message Res { repeated Thing things = 1; string next_page_token = 2; }
message Thing { string id = 1; }
"""


def test_a_method_with_page_tokens_gives_flows_of_pages_and_of_items(tmp_path: Path) -> None:
    api = service("Api", rpc("List", "Req", "Res", 'get: "/v1/things"'))
    text = generate(tmp_path, a=LIST + api)["shop/a/v1/Api.kt"]
    options = "options: CallOptions = CallOptions()"
    assert f"fun listPages(request: Req = Req(), {options}): Flow<Res> =" in text
    assert f"fun listAll(request: Req = Req(), {options}): Flow<Thing> =" in text
    assert "listPages(request, options).items { it.things }" in text


def test_a_method_without_page_tokens_gives_no_flows(tmp_path: Path) -> None:
    messages = LIST.replace("string page_token = 3;", "")
    api = service("Api", rpc("List", "Req", "Res", 'get: "/v1/things"'))
    assert "Flow<" not in generate(tmp_path, a=messages + api)["shop/a/v1/Api.kt"]


TOKENS = """\
message SignIn { string name = 1; }
message Tokens { string access_token = 1; string refresh_token = 2; uint32 expires_in = 3; }
message Token { string refresh_token = 1; }
message Done {}
"""


def test_methods_of_a_session_are_found_by_the_shape_of_tokens(tmp_path: Path) -> None:
    api = service(
        "Accounts",
        rpc("Enter", "SignIn", "Tokens", 'post: "/v1/in" body: "*"'),
        rpc("Renew", "Token", "Tokens", 'post: "/v1/renew" body: "*"'),
        rpc("Leave", "Token", "Done", 'post: "/v1/out" body: "*"'),
    )
    files = generate(tmp_path, a=TOKENS + api)
    text = files["shop/a/v1/Api.kt"]
    grant = "Grant(it.accessToken, it.refreshToken, it.expiresIn.toLong())"
    assert text.count(grant) == 2
    assert text.count("SessionRole.Ends { it.refreshToken }") == 1
    product = files["shop/Shop.kt"]
    assert "refresh = SessionMethod(AccountsClient.renewMethod)" in product
    assert "revoke = SessionMethod(AccountsClient.leaveMethod)" in product


def test_without_tokens_there_is_no_session_to_keep(tmp_path: Path) -> None:
    api = service("Api", rpc("List", "Req", "Res", 'get: "/v1/things"'))
    product = generate(tmp_path, a=LIST + api)["shop/Shop.kt"]
    assert "Connection(options)" in product
    assert "SessionMethod" not in product


def test_what_a_path_needs_must_be_given_and_the_rest_has_defaults(tmp_path: Path) -> None:
    messages = "message Req { string id = 1; string more = 2; } message Res { int64 n = 1; }"
    api = service("Api", rpc("Get", "Req", "Res", 'get: "/v1/things/{id}"'))
    text = generate(tmp_path, a=messages + api)["shop/a/v1/Api.kt"]
    assert 'data class Req(\n    val id: String,\n    val more: String = "",\n)' in text
    assert "fun get(request: Req, options" in text
    assert "val n: Long = 0L," in text


def test_a_oneof_is_a_sealed_interface_whose_cases_may_be_called_like_types(
    tmp_path: Path,
) -> None:
    messages = """\
    message Res {
      oneof what {
        string string = 1;
        Req req = 2;
        google.protobuf.Empty none = 3;
        google.protobuf.Timestamp instant = 4;
      }
    }
    message Req {}
    """
    api = service("Api", rpc("Get", "Req", "Res", 'get: "/v1/things"'))
    text = generate(tmp_path, a=messages + api)["shop/a/v1/Api.kt"]
    assert "    val what: What? = null,\n" in text
    assert "    sealed interface What {\n" in text
    assert "data class String(val value: kotlin.String) : What" in text
    assert "data class Req(val value: shop.a.v1.Req) : What" in text
    assert "data object None : What" in text
    assert "data class Instant(val value: java.time.Instant) : What" in text
    assert "class Req : EmptyMessage()" in text


def test_names_that_kotlin_or_the_run_time_has_get_a_mark(tmp_path: Path) -> None:
    messages = """\
    message Flow { string class = 1; string HTTPRule = 3; string fun_1 = 4; }
    message lower { Flow lower = 1; }
    """
    api = service("Api", rpc("ToString", "Flow", "lower", 'post: "/v1/things" body: "*"'))
    text = generate(tmp_path, a=messages + api)["shop/a/v1/Api.kt"]
    assert "data class Flow_(" in text
    assert "val class_: String" in text
    assert "val httpRule: String" in text
    assert "val fun1: String" in text
    assert "data class Lower(\n    val lower: Flow_? = null,\n)" in text
    assert "suspend fun toString_(" in text


def test_errors_of_methods_are_exceptions_of_their_service(tmp_path: Path) -> None:
    error = """\
    message Gone { option (contract.v1.error) = {code: NOT_FOUND text: "gone"}; string id = 1; }
    """
    other = service("OtherApi", rpc("Get", "Req", "Res", 'get: "/v1/others"', "Gone"))
    messages = "message Req {} message Res {}"
    files = generate(tmp_path, b=error + messages + other)
    text = files["shop/b/v1/Api.kt"]
    assert "sealed class OtherException private constructor(details: ErrorDetails) :" in text
    assert (
        "class Gone internal constructor(val error: shop.b.v1.Gone, details: ErrorDetails)" in text
    )
    assert '"Gone" to DeclaredError(GoneType, OtherException::Gone)' in text
    assert "@throws OtherException.Gone" in text


def test_two_services_of_one_name_are_told_apart_by_their_packages(tmp_path: Path) -> None:
    messages = "message Req {} message Res {}"
    first = service("Api", rpc("Get", "Req", "Res", 'get: "/v1/a"'))
    second = service("Api", rpc("Get", "Req", "Res", 'get: "/v1/b"'))
    product = generate(tmp_path, a=messages + first, b=messages + second)["shop/Shop.kt"]
    assert "val aV1Api: ApiClient = ApiClient(connection)" in product
    assert "val bV1Api: shop.b.v1.ApiClient = shop.b.v1.ApiClient(connection)" in product


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("ends */ here", "/** ends *&#47; here */"),
        ("begins /* here", "/** begins /&#42; here */"),
        ("@param none", "/** &#64;param none */"),
        ("of `page_size` units", "/** of `pageSize` units */"),
    ],
)
def test_a_comment_ends_where_it_ends(tmp_path: Path, comment: str, expected: str) -> None:
    messages = f"message Req {{}}\n// {comment}\nmessage Res {{}}"
    api = service("Api", rpc("Get", "Req", "Res", 'get: "/v1/a"'))
    assert f"{expected}\nclass Res" in generate(tmp_path, a=messages + api)["shop/a/v1/Api.kt"]


def test_a_contract_of_methods_alone_has_a_client(tmp_path: Path) -> None:
    shared = "message Req { string id = 1; }\nmessage Res {}\n"
    method = rpc("Get", "a.v1.Req", "a.v1.Res", 'get: "/v1/b"')
    files = generate(tmp_path, a=shared, b=f'import "a/v1/api.proto";\n{service("Api", method)}')
    assert "class ApiClient" in files["shop/b/v1/Api.kt"]
