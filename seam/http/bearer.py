"""Who asks over HTTP: the token in the header `Authorization`.

Source: https://www.rfc-editor.org/rfc/rfc6750.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from litestar.types import Send

from lib.http_status import HTTP_STATUS
from seam.auth import Authenticator
from seam.call.principal import Principal, check_principal
from seam.contract.errors import Code, StatusError
from seam.http.problem import TOKEN_REFUSED, send_problem

AUTHORIZATION: Final = b"authorization"

_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)

AS_USUAL: Final = b"Bearer "
"""What stands before the token, as almost every client writes it."""


async def principal_of(
    headers: Iterable[tuple[bytes, bytes]], authenticator: Authenticator
) -> Principal:
    """Who asks, by all headers of a request, among which there is one of this name at least.

    Raises:
        StatusError: UNAUTHENTICATED, because it proves nothing; UNAVAILABLE, because that cannot be
            told at present.
    """
    sent = [value for name, value in headers if name == AUTHORIZATION]
    read = _BEARER.fullmatch(sent[0].decode("latin-1").strip(" \t"))
    if len(sent) > 1 or read is None:
        raise StatusError(Code.UNAUTHENTICATED, "Authorization: expected one header, Bearer TOKEN")
    principal = authenticator.known(read[1]) or await authenticator.verify(read[1])
    check_principal(principal)
    return principal


async def refuse_token(send: Send, error: StatusError) -> None:
    """Answer a request that proves badly who asks."""
    headers = []
    if error.code is Code.UNAUTHENTICATED:
        headers.append((b"www-authenticate", TOKEN_REFUSED.encode()))
    status = HTTP_STATUS[error.code.name]
    await send_problem(send, status, error.code, headers=headers, detail=error.message)
