"""Writes the site: what each file holds, by its place."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from docs.site import schema
from docs.site.drawing import STYLE, draw
from docs.site.pages import comment
from docs.site.searching import entries, index_script
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from codegen.contract.comments import first_sentence
from codegen.contract.model import Enum, Message
from codegen.documentation import words
from codegen.documentation.examples import example_of, request_command
from lib.http_status import HTTP_STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docs.site.pages import Page
    from docs.site.system import System

    from codegen.contract.model import HttpBinding, Method

__all__ = ["render"]

_PACKAGE: Final = "docs.site"

_STATIC: Final = ("site.css", "search.js")

_LIBRARY: Final = "docs.diagrams.library"
_DRAWING: Final = ("mermaid.js", "mermaid.LICENSE.txt")
"""What draws diagrams, as it is installed from npm when the site is built."""

_GUIDE: Final = "docs/"
_DECISION: Final = "docs/adr/"


def render(system: System, pages: Sequence[Page]) -> dict[str, str]:
    """All files of the site by place. The same system and pages give the same files.

    Args:
        system: the services.
        pages: what is written by hand.
    """
    environment = _environment(system)
    site: dict[str, Any] = {
        "system": system,
        "guides": [p for p in pages if _is_below(p, _GUIDE)],
        "decisions": [p for p in pages if _is_below(p, _DECISION)],
        "others": [p for p in pages if not p.source.startswith(_GUIDE)],
        "clients": [p for p in pages if p.source in _readmes(system.usage.clients)],
    }

    def page(template: str, path: str, **more: object) -> str:
        root = "../" * path.count("/")
        return environment.get_template(template).render(root=root, path=path, **site, **more)

    written = {
        "index.html": page("index.html", "index.html", map=draw(system, folder="services/")),
        "events.html": page("events.html", "events.html"),
        "errors.html": page("errors.html", "errors.html"),
        "access.html": page("access.html", "access.html"),
        "map.svg": draw(system, folder="services/", style=STYLE),
        "search-index.js": index_script(entries(system, pages)),
    }
    for service in system.everything:
        path = f"services/{service.name}.html"
        written[path] = page("service.html", path, service=service)
    for each in pages:
        written[each.path] = page("page.html", each.path, page=each)
    for name in _STATIC:
        written[name] = _resource("static", name)
    if any(each.has_diagrams for each in pages):
        written["diagrams.js"] = _resource("static", "diagrams.js")
        for name in _DRAWING:
            written[name] = files(_LIBRARY).joinpath(name).read_text(encoding="utf-8")
    return dict(sorted(written.items()))


def _readmes(folders: Sequence[str]) -> set[str]:
    return {f"{folder}/README.md" for folder in folders}


def _is_below(page: Page, folder: str) -> bool:
    return page.source.startswith(folder) and "/" not in page.source[len(folder) :]


def _environment(system: System) -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _resource("templates", name)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    homes = {
        type_.full_name: service.name for service in system.everything for type_ in service.types
    }

    def link(full_name: str, root: str) -> Markup:
        """A type's or method's name, which leads to where it is described."""
        home = homes.get(full_name) or full_name.partition(".")[0]
        words = full_name.rpartition(".")[2]
        return Markup('<a href="{}services/{}.html#{}"><code>{}</code></a>').format(
            root, home, full_name, words
        )

    def example(message: Message) -> str:
        return json.dumps(example_of(message, system.types), indent=2, ensure_ascii=False)

    def command(method: Method, binding: HttpBinding) -> str:
        return request_command(method, binding, system.types)

    def message_of(full_name: str) -> Message | None:
        found = system.types.get(full_name)
        return found if isinstance(found, Message) and found.full_name in homes else None

    environment.filters |= {
        "comment": comment,
        "first_sentence": first_sentence,
        "folder": lambda source: source.rpartition("/")[0],
        "title": lambda name: name.replace("_", " "),
        "capital": lambda text: text[:1].upper() + text[1:],
        "type_words": words.type_words,
        "presence": words.presence_words,
        "rules": words.rule_words,
        "access": words.access_words,
        "idempotency": words.idempotency_words,
        "stream": words.stream_words,
        "route": words.route_words,
        "link": link,
        "example": example,
        "command": command,
        "column_type": schema.column_type,
        "column_notes": schema.column_notes,
        "index_words": schema.index_words,
        "constraint_words": schema.constraint_words,
        "status": lambda code: HTTP_STATUS[code],
    }
    environment.globals |= {"message_of": message_of}
    environment.tests |= {"enum": lambda type_: isinstance(type_, Enum)}
    return environment


def _resource(folder: str, name: str) -> str:
    return files(_PACKAGE).joinpath(folder, name).read_text(encoding="utf-8")
