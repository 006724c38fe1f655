"""The site of this repository: everything is in it, and every link leads somewhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from posixpath import join, normpath
from xml.etree import ElementTree

import pytest
from docs.site.conftest import ROOT
from docs.site.main import page_sources, site_of
from docs.site.system import System

from director.monolith import SERVICES

SVG = "{http://www.w3.org/2000/svg}"


class Elements(HTMLParser):
    """What a page names and what it leads to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.scripts_within = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(found["id"] or "")
        if tag == "a":
            self.links.append(found["href"] or "")
        if tag in {"link", "script", "img"}:
            self.loaded.append(found.get("href") or found.get("src") or "")
            self.scripts_within += tag == "script" and "src" not in found


@pytest.fixture(scope="module")
def elements(site: dict[str, str]) -> dict[str, Elements]:
    return {path: Elements(text) for path, text in site.items() if path.endswith(".html")}


def declared_in_contracts() -> dict[str, list[str]]:
    """Full names by keyword, read from the contracts as text rather than by what is tested."""
    found: dict[str, list[str]] = {"service": [], "rpc": [], "message": [], "enum": []}
    for path in sorted((ROOT / "protos").rglob("*.proto")):
        text = path.read_text()
        if "google/" in path.as_posix() or path.name == "options.proto":
            continue
        package = re.findall(r"^package (\S+);", text, re.MULTILINE)[0]
        scope: list[str] = []
        for line in text.splitlines():
            code = line.partition("//")[0]
            match = re.match(r"\s*(service|rpc|message|enum) (\w+)", code)
            if match:
                outer = [name for name in scope if name]
                found[match[1]].append(".".join([package, *outer, match[2]]))
            opened, closed = code.count("{"), code.count("}")
            scope += [match[2] if match and at == 0 else "" for at in range(opened)]
            del scope[len(scope) - closed :]
    return found


def test_every_service_method_message_event_error_and_enum_has_a_place(
    elements: dict[str, Elements],
) -> None:
    names = declared_in_contracts()
    assert len(names["rpc"]) > 50
    for kind, all_names in names.items():
        for name in all_names:
            page = f"services/{name.partition('.')[0]}.html"
            assert elements[page].ids.count(name) == 1, (kind, name)


def test_every_service_of_the_shop_has_a_page_with_its_tables(
    elements: dict[str, Elements],
) -> None:
    for service in SERVICES:
        ids = elements[f"services/{service.name}.html"].ids
        assert service.migrations is not None
        tables = {f"table.{table.name}" for table in service.migrations.tables.sorted_tables}
        assert tables
        assert {each for each in ids if re.fullmatch(r"table\.\w+", each)} == tables


def test_events_and_errors_are_listed_with_what_the_contracts_say(
    site: dict[str, str], system: System
) -> None:
    events = [each.full_name for service in system.everything for each in service.events]
    errors = [each.full_name for service in system.everything for each in service.errors]
    said = "".join(path.read_text() for path in (ROOT / "protos").rglob("*.proto"))
    assert len(events) == said.count("option (contract.v1.event)")
    assert len(errors) == said.count("option (contract.v1.error)")
    assert all(f"#{name}" in site["events.html"] for name in events)
    assert all(f"#{name}" in site["errors.html"] for name in errors)


def test_every_page_of_the_repository_is_in_the_site(site: dict[str, str]) -> None:
    sources = page_sources(ROOT)
    assert {"README.md", "docs/bus.md", "docs/adr/README.md"} <= set(sources)
    assert {f"{path.removesuffix('.md')}.html" for path in sources} <= set(site)


def test_every_link_leads_to_a_page_and_an_anchor_that_are_there(
    site: dict[str, str], elements: dict[str, Elements]
) -> None:
    followed = 0
    for path, page in elements.items():
        assert len(set(page.ids)) == len(page.ids), path
        for link in page.links:
            if re.match(r"https?:", link):
                continue
            target, _, anchor = link.partition("#")
            place = normpath(join(path, "..", target)) if target else path
            assert place in site, (path, link)
            assert not anchor or anchor in elements[place].ids, (path, link)
            followed += 1
    assert followed > 1_000


def test_what_search_finds_is_there(site: dict[str, str], elements: dict[str, Elements]) -> None:
    script = site["search-index.js"]
    rows = json.loads(script[script.index("[") : script.rindex(";")])
    for _, title, place, _ in rows:
        path, _, anchor = place.partition("#")
        assert not anchor or anchor in elements[path].ids, title
    titles = {title for _, title, _, _ in rows}
    assert {"PlaceOrder", "OrderConfirmed", "OutOfStock", "placed_order"} <= titles


def test_nothing_is_loaded_from_elsewhere_and_no_script_is_within_a_page(
    site: dict[str, str], elements: dict[str, Elements]
) -> None:
    for path, page in elements.items():
        assert page.scripts_within == 0
        for loaded in page.loaded:
            assert loaded == "data:," or normpath(join(path, "..", loaded)) in site, (path, loaded)
    assert not re.search(r"url\(|@import", site["site.css"])


def test_the_map_shows_exactly_what_the_code_declares(site: dict[str, str]) -> None:
    calls = {
        (service.name, need.owner, "calls")
        for service in SERVICES
        for need in service.needs
        if not isinstance(need, str)
    }
    # Who may subscribe, contracts say; that each of them does is true of this shop.
    flows = {
        (event.owner, subscriber, "events")
        for service in SERVICES
        for event in service.publishes
        for subscriber in event.subscribers
    }
    picture = ElementTree.fromstring(site["map.svg"])
    drawn = [
        (each.attrib["data-from"], each.attrib["data-to"], each.attrib["data-kind"])
        for each in picture.iter(f"{SVG}g")
        if "data-kind" in each.attrib
    ]
    assert len(calls) > 5
    assert sorted(drawn) == sorted(calls | flows)
    boxes = {each.attrib["href"] for each in picture.iter(f"{SVG}a")}
    assert boxes == {f"services/{service.name}.html" for service in SERVICES}


def test_services_need_what_contracts_let_them_call(system: System) -> None:
    assert all(call.methods for call in system.calls)


def test_the_same_repository_gives_the_same_site(site: dict[str, str]) -> None:
    assert site_of(ROOT) == site


def test_no_page_names_where_it_was_made(site: dict[str, str]) -> None:
    assert not [path for path, text in site.items() if str(Path.cwd()) in text]
