"""What was built: how much a browser loads, and what it may not hold."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from pathlib import Path
from typing import Final

from clients.web.conftest import run_node

SITE: Final = files("clients.storefront.site")
FIRST_PAGE_BYTES: Final = 40_000
ALL_BYTES: Final = 60_000

HERE: Final = Path(__file__).parent


def compressed(name: str) -> int:
    """How many bytes of a file travel."""
    return len(gzip.compress(SITE.joinpath(name).read_bytes(), 9))


def test_what_a_browser_loads_is_small() -> None:
    page = SITE.joinpath("index.html").read_text()
    first = re.findall(r'(?:src|href)="(assets/[^"]+)"', page)
    assert len(first) > 2
    everything = [f"assets/{each.name}" for each in SITE.joinpath("assets").iterdir()]
    sizes = {name: compressed(name) for name in everything}
    first_page, whole = sum(sizes[name] for name in first), sum(sizes.values())
    # Pants keeps it below dist/test/.
    kept = Path("extra-output/sizes.txt")
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(f"first page: {first_page} bytes\nall pages: {whole} bytes\n")
    assert 0 < first_page < FIRST_PAGE_BYTES
    assert first_page < whole < ALL_BYTES


def test_nothing_stands_in_the_page_that_its_policy_forbids() -> None:
    page = SITE.joinpath("index.html").read_text()
    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", page) == []


def test_fragments_import_nothing_of_each_other() -> None:
    run_node(["--test", HERE / "test/boundaries.test.js"], HERE)
