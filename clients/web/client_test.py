"""The packed client in Node, as somebody has installed it."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from clients.web.conftest import HERE, run_node

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.topologies import Shop

SHOP_TESTS = {"connections.test.ts", "shop.test.ts"}
UNIT_TESTS = sorted({each.name for each in (HERE / "test").glob("*.test.ts")} - SHOP_TESTS)

RUNTIME_BYTES = 14_000
CLIENT_BYTES = 20_000
TARBALL_BYTES = 60_000


def code(tarball: Path, folder: str) -> bytes:
    """All code of the package below a folder."""
    with tarfile.open(tarball) as files:
        found = [
            files.extractfile(each)
            for each in files.getmembers()
            if each.name.startswith(folder) and each.name.endswith(".js")
        ]
        return b"".join(each.read() for each in found if each is not None)


@pytest.mark.parametrize("program", UNIT_TESTS)
def test_units_do_what_their_tests_say(installed: Path, program: str) -> None:
    run_node(["--test", program], installed)


@pytest.mark.parametrize("program", sorted(SHOP_TESTS))
def test_a_customer_does_everything_that_the_shop_offers(
    installed: Path, shop: Shop, program: str
) -> None:
    run_node(["--test", "--test-timeout=120000", program], installed, SHOP_URL=shop.url)


def test_the_example_places_an_order(installed: Path, shop: Shop) -> None:
    shutil.copy(HERE / "example/first_order.ts", installed)
    assert ": ORDER_STATE_" in run_node(["first_order.ts", shop.url], installed)


def test_the_client_is_small_even_before_it_is_minified(tarball: Path) -> None:
    assert 0 < len(gzip.compress(code(tarball, "package/dist/runtime/"))) < RUNTIME_BYTES
    assert 0 < len(gzip.compress(code(tarball, "package/dist/"))) < CLIENT_BYTES
    assert tarball.stat().st_size < TARBALL_BYTES


def test_the_package_is_whole_and_depends_on_nothing(tarball: Path) -> None:
    with tarfile.open(tarball) as files:
        names = {each.name for each in files.getmembers()}
        manifest_file = files.extractfile("package/package.json")
        assert manifest_file is not None
        manifest = json.load(manifest_file)
    assert {"package/README.md", "package/LICENSE", "package/dist/index.d.ts"} <= names
    beside = {"package/README.md", "package/LICENSE", "package/package.json"}
    assert all(name.startswith("package/dist/") for name in names - beside)
    assert not manifest.keys() & {"dependencies", "peerDependencies", "optionalDependencies"}
    assert manifest["license"] == "Apache-2.0"


def test_documentation_of_contracts_is_that_of_types(tarball: Path) -> None:
    with tarfile.open(tarball) as files:
        found = files.extractfile("package/dist/inventory/v1/api.d.ts")
        assert found is not None
        types = found.read().decode()
    assert "/** How many units can be bought now. */\n    stock: number;" in types
