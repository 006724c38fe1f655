"""The OpenAPI document of a process: that of all its APIs, in which nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from seam.contract import ServiceDescriptor
from seam.http.api import HttpApi
from seam.http.application import openapi


def operation(service: str, method: str, *variables: str) -> dict[str, Any]:
    return {
        "operationId": f"{service.rpartition('.')[2]}_{method}",
        "tags": [service],
        "parameters": [{"name": name, "in": "path"} for name in variables]
        + [{"name": "id", "in": "query"}],
    }


def api(service: str, paths: dict[str, Any], **schemas: Any) -> HttpApi[Any]:
    return HttpApi(
        descriptor=ServiceDescriptor(name=service, methods=()),
        stub=lambda _: None,
        router=lambda _: pytest.fail("no route is asked for"),
        errors={},
        openapi={"paths": paths, "components": {"schemas": schemas}},
    )


def operations(*apis: HttpApi[Any]) -> dict[str, str]:
    return {
        f"{verb} {path}": operation["operationId"]
        for path, item in openapi(apis, title="Test")["paths"].items()
        for verb, operation in item.items()
    }


def test_two_services_may_answer_one_path_with_different_verbs() -> None:
    one = api("a.v1.Reads", {"/v1/x": {"get": operation("a.v1.Reads", "Get")}})
    other = api("b.v1.Writes", {"/v1/x": {"put": operation("b.v1.Writes", "Put")}})
    assert operations(one, other) == {"get /v1/x": "Reads_Get", "put /v1/x": "Writes_Put"}


def test_two_services_of_one_contract_have_its_document_in_common() -> None:
    paths = {
        "/v1/x": {"get": operation("a.v1.Reads", "Get"), "put": operation("a.v1.Writes", "Put")}
    }
    reads, writes = api("a.v1.Reads", paths), api("a.v1.Writes", paths)
    assert operations(reads, writes) == {"get /v1/x": "Reads_Get", "put /v1/x": "Writes_Put"}
    assert operations(reads) == {"get /v1/x": "Reads_Get"}


def test_a_path_whose_variables_are_called_differently_is_the_same_path() -> None:
    one = api("a.v1.R", {"/v1/{id}/{at}": {"get": operation("a.v1.R", "Get", "id", "at")}})
    other = api("b.v1.W", {"/v1/{at}/{x}": {"put": operation("b.v1.W", "Put", "at", "x")}})
    (item,) = openapi([one, other], title="Test")["paths"].values()
    assert item["put"]["parameters"] == [
        {"name": "id", "in": "path"},
        {"name": "at", "in": "path"},
        {"name": "id", "in": "query"},
    ]


@pytest.mark.parametrize("path", ["/v1/{id}", "/v1/{name}"])
def test_two_apis_that_bind_one_path_and_verb_are_refused(path: str) -> None:
    one = api("a.v1.A", {"/v1/{id}": {"get": operation("a.v1.A", "Get", "id")}})
    other = api("b.v1.B", {path: {"get": operation("b.v1.B", "Get", path[5:-1])}})
    with pytest.raises(ValueError, match=r"GET /v1/\S+ is bound by a\.v1\.A and by b\.v1\.B"):
        openapi([one, other], title="Test")


def test_operations_of_services_with_one_name_are_told_apart() -> None:
    one = api("a.v1.Api", {"/a": {"get": operation("a.v1.Api", "Get")}})
    other = api(
        "b.v1.Api",
        {"/b": {"get": operation("b.v1.Api", "Get"), "put": operation("b.v1.Api", "Put")}},
    )
    assert operations(one, other) == {
        "get /a": "a.v1.Api_Get",
        "get /b": "b.v1.Api_Get",
        "put /b": "Api_Put",
    }


def test_a_schema_with_two_meanings_is_refused() -> None:
    one, same = api("a.v1.A", {}, X={"type": "string"}), api("b.v1.B", {}, X={"type": "string"})
    assert openapi([one, same], title="Test")["components"]["schemas"] == {"X": {"type": "string"}}
    other = api("c.v1.C", {}, X={"type": "object"})
    with pytest.raises(ValueError, match="the schema X has another meaning"):
        openapi([one, other], title="Test")
