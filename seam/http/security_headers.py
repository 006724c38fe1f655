"""What every answer tells browsers, so that no answer of an API is taken for a page or a script.

Source: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html, security
headers.
"""

from __future__ import annotations

from typing import Final

PAGE_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
"""Of what browsers do show as a page, which comes with a policy of its own."""

SECURITY_HEADERS: Final = (
    *PAGE_HEADERS,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def strict_transport_security(seconds: int) -> tuple[bytes, bytes]:
    """Tell browsers to come over TLS only.

    Source: https://www.rfc-editor.org/rfc/rfc6797.

    Args:
        seconds: for how long; 0 takes back what was said before.
    """
    return (b"strict-transport-security", b"max-age=%d" % seconds)
