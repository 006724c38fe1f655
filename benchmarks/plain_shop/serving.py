"""Serves the plain shop in a process of a benchmark."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.plain_shop.main import app
from benchmarks.routes.serving import serve_application


async def serve_plain(listening: Callable[[str], None]) -> None:
    """Serve it."""
    await serve_application(app, listening)
