"""The index that the site is searched by: one entry for each thing that has a name.

It is a script that gives a value, since pages that are opened from files may run scripts beside
them and may not fetch data.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codegen.contract.comments import first_sentence
from codegen.documentation.words import route_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docs.site.pages import Page
    from docs.site.system import Documented, System

__all__ = ["Entry", "entries", "index_script"]

Entry = tuple[str, str, str, str]
"""Kind, title, place in the site, and words that it is found by, too."""


def entries(system: System, pages: Sequence[Page]) -> list[Entry]:
    """All entries: services and what they have, and then pages and their sections."""
    found = [entry for each in system.everything for entry in _of_service(each)]
    for page in pages:
        kind = "decision" if "/adr/" in page.source else "page"
        found.append((kind, page.title, page.path, page.text))
        found += [
            ("section", text, f"{page.path}#{anchor}", page.title) for anchor, text in page.sections
        ]
    return found


def _of_service(service: Documented) -> Iterator[Entry]:
    path = f"services/{service.name}.html"
    kind = "service" if service.declared is not None else "contracts"
    yield kind, service.title, path, first_sentence(service.summary)
    for owner, method in service.methods:
        routes = " ".join(route_words(binding) for binding in method.http)
        words = f"{owner.full_name} {routes} {method.comment}"
        yield "method", method.name, f"{path}#{owner.full_name}.{method.name}", words
    for message in service.messages:
        fields = " ".join(field.name for field in message.all_fields)
        words = f"{message.full_name} {fields} {message.comment}"
        yield "message", message.name, f"{path}#{message.full_name}", words
    for event in service.events:
        yield "event", event.name, f"{path}#{event.full_name}", f"{event.full_name} {event.comment}"
    for error in service.errors:
        assert error.error is not None
        words = f"{error.full_name} {error.error.code} {error.comment}"
        yield "error", error.name, f"{path}#{error.full_name}", words
    for enum in service.enums:
        values = " ".join(value.name for value in enum.values)
        yield "enum", enum.name, f"{path}#{enum.full_name}", f"{values} {enum.comment}"
    if service.declared is not None and service.declared.tables is not None:
        for table in service.declared.tables.sorted_tables:
            columns = " ".join(column.name for column in table.columns)
            yield "table", table.name, f"{path}#table.{table.name}", columns


def index_script(found: Sequence[Entry]) -> str:
    """The script that holds the index."""
    rows = ",\n".join(
        json.dumps(entry, ensure_ascii=False).replace("<", "\\u003c") for entry in found
    )
    return f"globalThis.searchIndex = [\n{rows}\n];\n"
