"""The packed client: it is whole, it is Swift, and does what its tests say where Swift is found."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from clients.ios.checking.check import problems
from clients.ios.protojson_program import assemble
from clients.ios.toolchain import run_swift, toolchain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def parses(package: Path, request: pytest.FixtureRequest) -> None:
    assert not problems(package)


def compiles_and_passes_its_tests(package: Path, request: pytest.FixtureRequest) -> None:
    run_swift(package, "build", "--build-tests", "-Xswiftc", "-warnings-as-errors")
    assert "Executed" in run_swift(package, "test", "--skip-build")


def agrees_with_the_table_of_json(package: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("tmp_path")
    assemble(folder)
    run_swift(folder, "test")


def is_a_customer_of_a_running_shop(package: Path, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("shop").url
    assert "all is so" in run_swift(package, "run", "Tour", url)
    assert ": ORDER_STATE_" in run_swift(package, "run", "FirstOrder", url)


COMPILED = (
    compiles_and_passes_its_tests,
    agrees_with_the_table_of_json,
    is_a_customer_of_a_running_shop,
)


# A parser judges it everywhere, and a compiler where there is one.
@pytest.mark.parametrize(
    "judge", [parses, *(COMPILED if toolchain() else ())], ids=lambda judge: judge.__name__
)
def test_what_is_packed(
    judge: Callable[[Path, pytest.FixtureRequest], None],
    unpacked: Path,
    request: pytest.FixtureRequest,
) -> None:
    judge(unpacked, request)


def test_the_archive_is_one_folder_with_all_that_a_package_needs(archive: Path) -> None:
    assert archive.name == "shop-client-1.0.0.zip"
    with zipfile.ZipFile(archive) as files:
        names = set(files.namelist())
    assert all(name.startswith("shop-client/") for name in names)
    needed = ("Package.swift", "README.md", "LICENSE", "Sources/ShopClient/Generated/Shop.swift")
    assert {f"shop-client/{name}" for name in needed} <= names


def test_documentation_of_contracts_is_that_of_properties(unpacked: Path) -> None:
    source = (unpacked / "Sources/ShopClient/Generated/inventory_v1_api.swift").read_text()
    expected = "        /// How many units can be bought now.\n        public var stock: Int32\n"
    assert expected in source


def test_no_other_contract_is_in_it(unpacked: Path) -> None:
    found = {path.name for path in (unpacked / "Sources/ShopClient/Generated").iterdir()}
    assert "inventory_v1_api.swift" in found
    assert not [name for name in found if "messagebus" in name]
