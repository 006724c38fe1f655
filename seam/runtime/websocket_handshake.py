"""The request by which a connection becomes a WebSocket.

Source: RFC 6455, section 4.2.1, https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import httptools

Headers = Sequence[tuple[bytes, bytes]]


def handshake_refusal(headers: Headers) -> str | None:
    """Why an opening handshake is none, or None when it is one."""
    versions = [value for name, value in headers if name == b"sec-websocket-version"]
    if versions != [b"13"]:
        return "Sec-WebSocket-Version: expected 13"
    try:
        (key,) = (value for name, value in headers if name == b"sec-websocket-key")
        whole = len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        whole = False
    return None if whole else "Sec-WebSocket-Key: expected 16 bytes in Base64"


def websocket_scope(scope: Mapping[str, Any], url: bytes, headers: Headers) -> dict[str, Any]:
    """What ASGI says of an opening handshake.

    Args:
        scope: what it says of the request, of which the URL is not read yet.
        url: the target of the request.
        headers: its headers.
    """
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    protocols = b",".join(v for n, v in headers if n == b"sec-websocket-protocol")
    return {
        **scope,
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "path": unquote(path),
        "raw_path": parsed.path,
        "query_string": parsed.query or b"",
        "subprotocols": [
            each.strip() for each in protocols.decode("latin-1").split(",") if each.strip()
        ],
    }
