"""Serves files to browsers: pages, scripts and pictures that were built before.

They are resources of a Python package, so that an artifact holds them. Nothing but what the package
holds can be asked for: files are found by their whole path, and no path leads out of a folder. A
file is read when it is first asked for, and kept; so is what it is in gzip.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from seam.contract import Code
from seam.http.compression import MINIMUM_BYTES, takes_gzip
from seam.http.entity_tag import GZIP_MARK, digest, is_held
from seam.http.exchange import EXCHANGE, Exchange
from seam.http.problem import send_problem
from seam.http.text import shown

PAGE: Final = "page"
"""Set in the beginning of an answer: it is for browsers to show, and says itself what they may."""

OWN_CONTENT: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""A policy for pages that use nothing but what comes with them, and no script within a page.

Source: https://www.w3.org/TR/CSP3/.
"""

ASSETS: Final = "assets"
"""In folders of this name, a file is called after its content, so that it never changes."""

_INDEX: Final = "index.html"
_METHODS: Final = b"GET, HEAD, OPTIONS"
_FOREVER: Final = b"public, max-age=31536000, immutable"
_REVALIDATED: Final = b"no-cache"

_TYPES: Final = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".ico": b"image/x-icon",
    ".jpg": b"image/jpeg",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".map": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".webmanifest": b"application/manifest+json",
    ".webp": b"image/webp",
    ".woff2": b"font/woff2",
}
_SMALL_ALREADY: Final = {".ico", ".jpg", ".png", ".webp", ".woff2"}
_LEVEL: Final = 9
_GZIP_CONTAINER: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class StaticSite:
    """Files below one path.

    Attributes:
        path: where browsers find it: `/`, or one such as `/docs`.
        package: the Python package whose resources the files are. A page named `index.html` is
            what a folder shows.
        policy: the Content-Security-Policy of all of its answers.
    """

    path: str
    package: str
    policy: str = OWN_CONTENT


class MissingSiteError(Exception):
    """An artifact was built without the files that it is to serve."""


def with_sites(app: ASGIApp, sites: Sequence[StaticSite], taken: Sequence[str]) -> ASGIApp:
    """Wrap an application so that files are served beside its routes.

    Args:
        app: the application.
        sites: what files there are.
        taken: paths that are routes of the application and bind no variable.

    Raises:
        MissingSiteError: a package is not there or has no files.
        ValueError: a file has the path of a route, or of a file of another site.
    """
    if not sites:
        return app
    found: dict[str, _File | bytes] = {}
    for site in sites:
        for path, file in _paths(site):
            if path in found or path in taken:
                raise ValueError(f"{site.package}: something else is at {path} already")
            found[path] = file
    by_path: Mapping[str, _File | bytes] = found

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        file = by_path.get(scope["raw_path"].partition(b"?")[0].decode("latin-1"))
        if file is None:
            await app(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await _tell(send, 204, (b"allow", _METHODS))
        elif scope["method"] not in ("GET", "HEAD"):
            detail = f"{scope['method']} {shown(scope['path'])}: Method Not Allowed"
            headers = [(b"allow", _METHODS)]
            await send_problem(send, 405, Code.UNIMPLEMENTED, headers=headers, detail=detail)
        elif isinstance(file, bytes):
            await _tell(send, 308, (b"location", file), (b"content-length", b"0"))
        else:
            exchange: Exchange = scope[EXCHANGE]  # type: ignore[typeddict-item]
            await file.answer(exchange.headers, send)

    return serve


class _File:
    """One file, once it was asked for."""

    def __init__(self, source: Traversable, policy: str, *, unchanging: bool) -> None:
        name = source.name
        self._suffix = name[name.rfind(".") :].lower()
        self._source = source
        self._body: bytes | None = None
        self._compressed: bytes | None = None
        self._digest = b""
        self._headers = [
            (b"content-type", _TYPES.get(self._suffix, b"application/octet-stream")),
            (b"cache-control", _FOREVER if unchanging else _REVALIDATED),
            (b"content-security-policy", policy.encode()),
            (b"vary", b"accept-encoding"),
        ]

    async def answer(self, given: Mapping[bytes, bytes], send: Send) -> None:
        """Send it, or say that the client has it."""
        body = await self._read()
        compressed = self._compressed
        if compressed is not None and takes_gzip(given.get(b"accept-encoding", b"")):
            body, mark, encoded = compressed, GZIP_MARK, [(b"content-encoding", b"gzip")]
        else:
            mark, encoded = b"", []
        tag = (b"etag", b'"%b%b"' % (self._digest, mark))
        held = given.get(b"if-none-match")
        if held is not None and is_held(held, self._digest):
            await _tell(send, 304, tag, *self._headers[1:])
            return
        length = (b"content-length", b"%d" % len(body))
        headers = [*self._headers, *encoded, tag, length]
        start = {"type": "http.response.start", "status": 200, "headers": headers, PAGE: True}
        await send(start)  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _read(self) -> bytes:
        # Of several that ask at once for the first time each reads it, which harms nobody.
        return await asyncio.to_thread(self._load) if self._body is None else self._body

    def _load(self) -> bytes:
        body = self._source.read_bytes()
        if self._suffix not in _SMALL_ALREADY and len(body) >= MINIMUM_BYTES:
            self._compressed = zlib.compress(body, _LEVEL, _GZIP_CONTAINER)
        self._digest = digest(body)
        self._body = body
        return body


def _paths(site: StaticSite) -> Iterator[tuple[str, _File | bytes]]:
    """What is at which path: a file, or where to go instead."""
    base = site.path.rstrip("/")
    if base:
        # What a page names is found beside it, so its path has to be that of a folder: with a
        # stroke behind it. Who leaves that out is sent there, here and in folders below.
        yield base, f"{base}/".encode()
    empty = True
    for path, source in _resources(site.package):
        empty = False
        folders, _, name = path.rpartition("/")
        unchanging = ASSETS in folders.split("/")
        file = _File(source, site.policy, unchanging=unchanging)
        yield f"{base}/{path}", file
        if name == _INDEX:
            yield f"{base}/{path.removesuffix(_INDEX)}", file
            if folders:
                yield f"{base}/{folders}", f"{base}/{folders}/".encode()
    if empty:
        raise MissingSiteError(
            f"the package '{site.package}' holds no files to serve at {site.path}"
        )


def _resources(package: str) -> Iterator[tuple[str, Traversable]]:
    try:
        folder = files(package)
    except ModuleNotFoundError:
        return
    yield from _below(folder, "")


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for each in sorted(folder.iterdir(), key=lambda found: found.name):
        if each.name.startswith((".", "__")) or each.name.endswith(".py"):
            continue
        if each.is_dir():
            yield from _below(each, f"{prefix}{each.name}/")
        else:
            yield f"{prefix}{each.name}", each


async def _tell(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    start = {"type": "http.response.start", "status": status, "headers": [*headers], PAGE: True}
    await send(start)  # type: ignore[arg-type]
    await send({"type": "http.response.body", "body": b"", "more_body": False})
