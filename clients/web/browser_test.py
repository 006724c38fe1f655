"""The packed client in a browser, in a page of another origin than the shop's."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from clients.web.conftest import HERE, PAGE_PORT, run_node
from tests.polyglot.node_process import NPM

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.topologies import Shop


def test_a_browser_does_what_node_does(installed: Path, shop: Shop, tmp_path: Path) -> None:
    for each in (HERE / "test/browser").iterdir():
        shutil.copy(each, tmp_path)
    shutil.copy(HERE / "test/shop.test.ts", tmp_path)
    run_node([NPM, "ci"], tmp_path)
    shutil.copytree(installed / "node_modules/shop-client", tmp_path / "node_modules/shop-client")
    results = json.loads(run_node(["run.ts", shop.url, str(PAGE_PORT)], tmp_path))
    assert [each for each in results if "error" in each] == []
    # All tests of the shop, and one of two pages.
    tests = (HERE / "test/shop.test.ts").read_text().count("\ntest(")
    assert len(results) == tests + 1
