"""Renders what is written by hand: pages in Markdown, and comments of contracts.

A page keeps its place: `docs/bus.md` becomes `docs/bus.html`, so its links lead where they led.
What a page links to that is no page, such as a file of code, is named and not linked, since the
site does not hold it. Nothing is loaded from elsewhere: pictures are not shown, and HTML is shown
as text. So is a diagram, until a script of the site has drawn it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from markdown_it.token import Token

__all__ = ["Page", "PageError", "comment", "read_pages"]

_PAGES: Final = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")

# Comments of contracts are no Markdown, but for lists and names in backticks.
_COMMENTS: Final = MarkdownIt("zero").enable(["backticks", "list"])

_DIAGRAM: Final = "mermaid"

_ELSEWHERE: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_NO_ANCHOR: Final = re.compile(r"[^\w\- ]")


class PageError(Exception):
    """A page links to what is not there; the text names the page and the link."""


@dataclass(frozen=True)
class Page:
    """A page that is written by hand.

    Attributes:
        source: where it stands in the repository, such as `docs/bus.md`.
        title: its first heading.
        body: what is below that, as HTML.
        sections: anchor and text of each heading below the first.
        text: all its words.
        has_diagrams: whether there is something to be drawn in it.
    """

    source: str
    title: str
    body: Markup
    sections: tuple[tuple[str, str], ...]
    text: str
    has_diagrams: bool

    @property
    def path(self) -> str:
        """Where it is in the site."""
        return f"{self.source.removesuffix('.md')}.html"


def comment(text: str) -> Markup:
    """A comment of a contract as HTML."""
    return _written(_COMMENTS.render(text))


def _written(html: str) -> Markup:
    """What the renderer has written, which escapes whatever it was given."""
    return Markup(html)  # noqa: S704


def read_pages(sources: Mapping[str, str]) -> tuple[Page, ...]:
    """Render pages, in the order of their places.

    Args:
        sources: each page's place in the repository, and its Markdown.

    Raises:
        PageError: a page links to a page or a heading that is not there.
    """
    parsed = {source: _PAGES.parse(text) for source, text in sorted(sources.items())}
    anchors = {source: {a for a, _ in _mark_headings(tokens)} for source, tokens in parsed.items()}
    return tuple(_page(source, tokens, anchors) for source, tokens in parsed.items())


def _page(source: str, tokens: list[Token], anchors: Mapping[str, Collection[str]]) -> Page:
    for token in tokens:
        _resolve(token, source, anchors)
    headings = _headings(tokens)
    title = PurePosixPath(source).stem
    if headings and tokens[0].type == "heading_open":
        title = headings.pop(0)[2]
        tokens = tokens[3:]
    return Page(
        source=source,
        title=title,
        body=_written(_framed(_PAGES.renderer.render(tokens, _PAGES.options, {}))),
        sections=tuple((anchor, text) for level, anchor, text in headings if level == "h2"),
        text=" ".join(_words(token) for token in tokens if token.type in _WORDY),
        has_diagrams=any(_is_diagram(token) for token in tokens),
    )


def _is_diagram(token: Token) -> bool:
    return token.type == "fence" and token.info.strip() == _DIAGRAM


_WORDY: Final = ("inline", "fence", "code_block")


def _headings(tokens: Sequence[Token]) -> list[tuple[str, str, str]]:
    """Level, anchor and text of each heading."""
    return [
        (token.tag, str(token.attrGet("id")), _words(following))
        for token, following in itertools.pairwise(tokens)
        if token.type == "heading_open"
    ]


def _mark_headings(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Give each heading the anchor that GitHub gives it."""
    seen: dict[str, int] = {}
    for token, following in itertools.pairwise(tokens):
        if token.type == "heading_open":
            anchor = _NO_ANCHOR.sub("", _words(following).lower()).replace(" ", "-")
            count = seen.get(anchor, 0)
            seen[anchor] = count + 1
            token.attrSet("id", f"{anchor}-{count}" if count else anchor)
    return [(anchor, text) for _, anchor, text in _headings(tokens)]


def _words(token: Token) -> str:
    if token.children is None:
        return token.content
    return "".join(
        " " if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children
    )


def _resolve(token: Token, source: str, anchors: Mapping[str, Collection[str]]) -> None:
    """Have links lead to pages of the site."""
    closing: list[Token] = []
    for child in token.children or ():
        if child.type == "link_close":
            opened = closing.pop()
            if opened.tag == "span":
                child.tag = "span"
        elif child.type == "link_open":
            closing.append(child)
            href = str(child.attrGet("href"))
            if _ELSEWHERE.match(href):
                continue
            found = _target(href, source, anchors)
            if found is None:
                child.tag = "span"
                child.attrs = {"class": "file", "title": unquote(href)}
            else:
                child.attrSet("href", found)


def _target(href: str, source: str, anchors: Mapping[str, Collection[str]]) -> str | None:
    """Where a link leads in the site; None where that is no page."""
    path, _, anchor = unquote(href).partition("#")
    target = _joined(source, path) if path else source
    if target not in anchors:
        index = f"{target.rstrip('/')}/README.md"
        if index not in anchors:
            if target.endswith(".md"):
                raise PageError(f"{source}: there is no page {target} to link to")
            return None
        target = index
    if anchor and anchor not in anchors[target]:
        raise PageError(f"{source}: {target} has no heading #{anchor}")
    up = "../" * source.count("/")
    place = f"{up}{target.removesuffix('.md')}.html" if path else ""
    return f"{place}#{anchor}" if anchor else place


def _joined(source: str, path: str) -> str:
    """A path that is relative to a page, as seen from the root of the repository."""
    parts = list(PurePosixPath(source).parent.parts)
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


_DRAWN: Final = re.compile(rf'<pre><code class="language-{_DIAGRAM}">(.*?)</code></pre>', re.DOTALL)


def _framed(html: str) -> str:
    """Have wide tables and code move inside a frame, which the keyboard reaches, too."""
    # What looks like a tag in a page is escaped, so each of these is the renderer's.
    return (
        _DRAWN.sub(r'<figure class="diagram"><pre><code>\1</code></pre></figure>', html)
        .replace("<table>", '<div class="wide" tabindex="0"><table>')
        .replace("</table>", "</table></div>")
        .replace("<pre>", '<pre tabindex="0">')
        # A column without a name has no heading.
        .replace("<th></th>", "<td></td>")
    )
