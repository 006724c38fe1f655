"""What names a broker in a topology."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_EXPECTED: Final = "expected nats://HOST:PORT, or several with commas between them"


def check_broker_url(url: str) -> None:
    """Check the URL of a broker.

    Raises:
        ValueError: it is none; the text does not repeat what may be a password.
    """
    for each in url.split(","):
        try:
            parts = urlsplit(each.strip())
            port = parts.port
        except ValueError:
            raise ValueError(f"not the URL of a broker; {_EXPECTED}") from None
        if parts.scheme not in {"nats", "tls"} or not parts.hostname or port == 0 or parts.path:
            raise ValueError(f"not the URL of a broker; {_EXPECTED}")
