"""Client-facing contracts over HTTP: what generated routes stand on, and the application."""

from seam.http.api import HttpApi
from seam.http.application import application
from seam.http.messages import (
    HttpRequest,
    Query,
    bind_path,
    idempotency_key,
    path_value,
    read_json,
    reply,
)

__all__ = [
    "HttpApi",
    "HttpRequest",
    "Query",
    "application",
    "bind_path",
    "idempotency_key",
    "path_value",
    "read_json",
    "reply",
]
