"""Cross-origin requests: whether a script of another site may call, as its browser asks.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol. By default no script may. A browser that
gets no answer to its question keeps the script from calling; programs that are no browsers do not
ask, and are not kept from anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from seam.http.settings import HttpSettings

Header = tuple[bytes, bytes]

ANY_ORIGIN: Final = "*"

ALLOWED_HEADERS: Final = (
    b"authorization, content-type, idempotency-key, if-none-match, last-event-id, "
    b"traceparent, tracestate, x-request-id"
)
"""Headers that scripts may set: all that a route or the door understands."""

EXPOSED_HEADERS: Final = (
    b"etag, ratelimit, ratelimit-policy, retry-after, traceparent, x-request-id"
)
"""Headers that scripts may read, besides those that any may."""

PREFLIGHT_SECONDS: Final = b"600"
"""For how long a browser need not ask again."""


class Cors:
    """Says to browsers what scripts of allowed origins may do."""

    def __init__(self, settings: HttpSettings) -> None:
        """Allow the origins of `settings`."""
        self._origins = frozenset(origin.encode() for origin in settings.allowed_origins)
        self._any = ANY_ORIGIN in settings.allowed_origins
        self._credentials = settings.allow_credentials

    def headers(self, origin: bytes) -> list[Header]:
        """What an answer says to a script; nothing when its origin is not allowed."""
        if self._any:
            allowed = b"*"
        elif origin in self._origins:
            allowed = origin
        else:
            return []
        headers = [
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", EXPOSED_HEADERS),
        ]
        if self._credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
        return headers


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks on behalf of a script, before that may call."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def preflight_headers(answer: Sequence[Header]) -> list[Header]:
    """What a script of an allowed origin may send.

    Args:
        answer: headers of the answer to OPTIONS, of which `Allow` has the methods of the path.
    """
    allowed = [value for name, value in answer if name == b"allow"]
    return [
        (b"access-control-allow-methods", b", ".join(allowed)),
        (b"access-control-allow-headers", ALLOWED_HEADERS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
    ]
