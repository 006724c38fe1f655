"""How an RPC ended, and what counts as a status code.

Handlers may give a code as a `grpc.StatusCode` or as its number; whatever is neither becomes
UNKNOWN, as in gRPC, because a status must always reach the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import grpc

from lib.grpc_inprocess.metadata import Pairs

_CODES: Final[dict[int | None, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Status:
    """The end of an RPC as the client sees it.

    Attributes:
        code: the status code.
        details: text for people; empty when there is none.
        trailing_metadata: what the server sent with it.
    """

    code: grpc.StatusCode
    details: str = ""
    trailing_metadata: Pairs = ()

    @property
    def debug_error_string(self) -> str:
        """Code and details in one line, in gRPC's form; empty when all went well."""
        if self.code is grpc.StatusCode.OK:
            return ""
        return f"{self.code.name}:{self.details}" if self.details else self.code.name


def status_code(given: object) -> grpc.StatusCode:
    """The code that is sent for what a handler gave as one."""
    if isinstance(given, grpc.StatusCode):
        return given
    number = given if isinstance(given, int) else None
    return _CODES.get(number, grpc.StatusCode.UNKNOWN)
