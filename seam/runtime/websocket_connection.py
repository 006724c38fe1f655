"""One connection that has become a WebSocket, as its application sees it.

Sources: RFC 6455, https://www.rfc-editor.org/rfc/rfc6455. The messages of ASGI,
https://asgi.readthedocs.io/en/latest/specs/www.html#websocket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState
from websockets.protocol import State
from websockets.utils import accept_key

from seam.runtime.connection_limits import WebSocketLimits
from seam.runtime.websocket_frames import QUEUED, FramedConnection
from seam.runtime.websocket_handshake import Headers

log = logging.getLogger(__name__)


class ClientDisconnectedError(OSError):
    """Nothing can be sent any more."""


class WebSocketConnection(FramedConnection):
    """A connection whose opening handshake is being answered, or was."""

    def __init__(
        self,
        app: ASGIApp,
        scope: dict[str, Any],
        state: ServerState,
        limits: WebSocketLimits,
        note: Callable[[str], None],
    ) -> None:
        """Take over a connection.

        Args:
            app: the application.
            scope: what ASGI says of the handshake.
            state: knows all connections of the server.
            limits: what the client may do.
            note: is told why the client is cut off.
        """
        super().__init__(state, limits, note)
        self._app = app
        self._scope = scope
        self._status = 0
        self._headers: Headers = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the application answer the handshake."""
        self.transport = transport
        self._server.connections.add(self)  # type: ignore[arg-type]
        task = self._loop.create_task(self._run())
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)  # type: ignore[arg-type]
        except ClientDisconnectedError:
            pass
        except Exception:
            log.exception("a WebSocket has failed")
        finally:
            if self._frames.state is State.OPEN and self._accepted:
                self._close(1011, "")
            elif not self._accepted and not self._status:
                self.transport.abort()

    async def _receive(self) -> dict[str, Any]:
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        event = self._events.popleft()
        if self._paused and len(self._events) < QUEUED // 2:
            self._paused = False
            # While nothing was read, no answer to a ping was either.
            self._awaits_pong = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        return event

    async def _send(self, message: Any) -> None:  # noqa: ANN401 (one of many messages)
        kind = message["type"]
        if kind == "websocket.send":
            await self._writable.wait()
            if self._ended or self._frames.state is not State.OPEN:
                raise ClientDisconnectedError("the client has left")
            self._frames.send_text(message["text"].encode())
            self._flush()
        elif kind == "websocket.accept":
            self._accept(message.get("subprotocol"))
        elif kind == "websocket.close":
            self._close(message["code"], message.get("reason") or "")
        elif kind == "websocket.http.response.start":
            self._status, self._headers = message["status"], message["headers"]
        elif kind == "websocket.http.response.body":
            await self._writable.wait()
            self._refuse(message["body"])

    def _accept(self, subprotocol: str | None) -> None:
        if self.transport.is_closing():
            raise ClientDisconnectedError("the client has left")
        (key,) = (value for name, value in self._scope["headers"] if name == b"sec-websocket-key")
        headers = [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", accept_key(key.decode()).encode()),
        ]
        if subprotocol is not None:
            headers.append((b"sec-websocket-protocol", subprotocol.encode("latin-1")))
        self._accepted = True
        self._write_head(101, headers)
        self._ping_timer = self._loop.call_later(self._limits.ping_seconds, self._ping)

    def _refuse(self, body: bytes) -> None:
        """Answer the handshake as a request."""
        self._ended = True
        self._write_head(self._status, [*self._headers, (b"connection", b"close")])
        self.transport.write(body)
        self._leave()

    def _write_head(self, status: int, headers: Headers) -> None:
        lines = [b"%b: %b\r\n" % each for each in (*self._server.default_headers, *headers)]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n"]))

    def _close(self, code: int, reason: str) -> None:
        if self._frames.state is State.OPEN and not self.transport.is_closing():
            self._frames.send_close(code, reason)
            self._flush()
            self._linger(self._limits.closing_seconds)
