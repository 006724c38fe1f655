"""An application that does nothing: how much what sends requests can send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from litestar.types import Receive, Scope, Send

from benchmarks.routes.serving import serve_application

BODY: Final = b"x" * 300


async def hello(_: Scope, __: Receive, send: Send) -> None:
    """Answer at once."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(len(BODY)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": BODY, "more_body": False})


async def serve_hello(listening: Callable[[str], None]) -> None:
    """Serve it."""
    await serve_application(hello, listening)
