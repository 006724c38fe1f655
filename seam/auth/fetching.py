"""Fetches an issuer's keys over HTTP, and finds out where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx
import msgspec

from seam.auth.key_source import Fetch
from seam.auth.keys import MAXIMUM_KEYS_BYTES, KeysError

__all__ = ["keys_at", "keys_in", "keys_of_issuer"]

TIMEOUT: Final = 3.0
"""Seconds that one step of a request may take."""

WELL_KNOWN: Final = "/.well-known/openid-configuration"


class _Metadata(msgspec.Struct):
    """What is read of what an issuer says of itself."""

    issuer: str
    jwks_uri: str


def keys_in(path: Path) -> Fetch:
    """What reads keys from a file, each time anew."""

    async def fetch() -> bytes:
        with path.open("rb") as file:
            return file.read(MAXIMUM_KEYS_BYTES + 1)

    return fetch


def keys_at(url: str) -> Fetch:
    """What fetches keys from a URL."""

    async def fetch() -> bytes:
        return await _get(url)

    return fetch


def keys_of_issuer(issuer: str) -> Fetch:
    """What fetches the keys of an OpenID Connect issuer from where the issuer says they are.

    Source: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig.

    Args:
        issuer: its URL, as its tokens have it.
    """

    async def fetch() -> bytes:
        url = issuer.rstrip("/") + WELL_KNOWN
        try:
            metadata = msgspec.json.decode(await _get(url), type=_Metadata)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise KeysError(f"{url}: expected a JSON object with issuer and jwks_uri") from None
        if metadata.issuer != issuer:
            raise KeysError(f"{url} is of the issuer {metadata.issuer!r:.200}; expected {issuer!r}")
        if issuer.startswith("https:") and not metadata.jwks_uri.startswith("https:"):
            raise KeysError(
                f"{url} says that keys are at {metadata.jwks_uri!r:.200}; expected https"
            )
        return await _get(metadata.jwks_uri)

    return fetch


async def _get(url: str) -> bytes:
    """Get a document of bounded size. Nothing leads elsewhere: keys are where they are said to be.

    Raises:
        OSError: nobody answers there.
        KeysError: who answers gives something else.
    """
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise KeysError(f"{url} answers with the status {response.status_code}")
            document = bytearray()
            async for part in response.aiter_bytes():
                document += part
                if len(document) > MAXIMUM_KEYS_BYTES:
                    raise KeysError(f"{url} answers with more than {MAXIMUM_KEYS_BYTES} bytes")
            return bytes(document)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"{url}: {str(error) or type(error).__name__}") from None
