from __future__ import annotations

import grpc

from lib.http_status import HTTP_STATUS


def test_every_code_of_grpc_has_a_status() -> None:
    assert HTTP_STATUS.keys() == {code.name for code in grpc.StatusCode}
