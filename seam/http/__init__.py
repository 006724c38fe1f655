"""Client-facing contracts over HTTP: what generated routes stand on, and the application."""

from seam.http.api import HttpApi
from seam.http.application import application
from seam.http.conversation import Conversation
from seam.http.event_stream import EventStream, last_event_id
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
    "Conversation",
    "EventStream",
    "HttpApi",
    "HttpRequest",
    "Query",
    "application",
    "bind_path",
    "idempotency_key",
    "last_event_id",
    "path_value",
    "read_json",
    "reply",
]
