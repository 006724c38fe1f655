"""What becomes of contracts that the library does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.loading import load
from codegen.swift.package import package
from codegen.testing.compiling import request_for

if TYPE_CHECKING:
    from pathlib import Path

SHARED = """\
syntax = "proto3";
package a.v1;
message Req { string id = 1; }
message Res {}
"""

METHODS = """\
syntax = "proto3";
package b.v1;
import "a.proto";
import "contract/v1/options.proto";
import "google/api/annotations.proto";
service Api {
  rpc Get(a.v1.Req) returns (a.v1.Res) {
    option (google.api.http) = {get: "/v1/b"};
    option (contract.v1.method) = {access: {public: true}};
  }
}
"""


def test_a_contract_of_methods_alone_has_a_client(tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_text(SHARED)
    (tmp_path / "b.proto").write_text(METHODS)
    request = request_for(tmp_path, ["a.proto", "b.proto"])
    files = dict(package(load(request, {}), "shop"))
    assert "public enum B {}" in files["Shop.swift"]
    assert "extension B {" in files["b.swift"]
    assert "public let api: B.ApiClient" in files["Shop.swift"]
