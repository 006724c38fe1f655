"""Where a server is."""

from __future__ import annotations

import httpx

__all__ = ["server_address"]


def server_address(base_url: str) -> httpx.URL:
    """The address of a server, checked before anything is sent there.

    Args:
        base_url: such as `https://shop.example`, with or without a path that all paths follow.

    Raises:
        ValueError: it is no address of a server that speaks HTTP.
    """
    try:
        url = httpx.URL(base_url)
    except (TypeError, httpx.InvalidURL) as error:
        raise ValueError(f"base_url: {error}; expected such as https://shop.example") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"base_url: expected such as https://shop.example, got {base_url!r}")
    return url
