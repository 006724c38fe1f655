"""What clients may do with a connection of the HTTP port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seam.http.streams import UNREAD_SECONDS


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """What clients may do with a WebSocket.

    Attributes:
        message_bytes: of one message, whatever frames it comes in.
        frames: that may come at once; so many come again in `frames_seconds`.
        frames_seconds: see `frames`.
        ping_seconds: between two pings, and for the answer to one.
        unread_seconds: for a client that does not take what it is sent.
        closing_seconds: for a client to answer that the connection is closed.
    """

    message_bytes: int = 64 * 2**10
    frames: int = 200
    frames_seconds: float = 4.0
    ping_seconds: float = 20.0
    unread_seconds: float = UNREAD_SECONDS
    closing_seconds: float = 5.0


DEFAULT_WEBSOCKET_LIMITS: Final = WebSocketLimits()


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What clients may do with their connections.

    Attributes:
        head_seconds: for the head of a request, from the connection or its first byte on.
        body_seconds: for the body.
        idle_seconds: between two requests; longer than gateways wait, so that they close first.
        unread_seconds: for a client that does not take its answer.
        connections: at a time.
        pipelined: requests that wait in one connection for the answers to those before them.
        bodies_bytes: of the bodies of all requests that were not answered yet, see `BodyBudget`.
        websocket: what they may do once a connection has become a WebSocket.
    """

    head_seconds: float = 10.0
    body_seconds: float = 60.0
    idle_seconds: float = 75.0
    unread_seconds: float = 60.0
    connections: int = 4_000
    pipelined: int = 100
    bodies_bytes: int = 256 * 2**20
    websocket: WebSocketLimits = DEFAULT_WEBSOCKET_LIMITS


DEFAULT_CONNECTION_LIMITS: Final = ConnectionLimits()
