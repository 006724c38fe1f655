"""The packed client, as programs that use it find it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from clients.android.packed import java, packed, published

if TYPE_CHECKING:
    from tests.system.topologies import Shop

HERE: Final = Path(__file__).parent

TIMEOUT: Final = 120.0

JAR_BYTES = 900_000


def run(command: list[str]) -> str:
    result = subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=TIMEOUT, check=False
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


def assert_all_pass(program: str, *arguments: str) -> None:
    """Run the tests of a program: all that its source has."""
    source = (HERE / f"src/test/kotlin/programs/{program}.kt").read_text()
    lines = run(java(f"programs.{program}Kt", *arguments)).splitlines()
    results = [json.loads(line) for line in lines]
    assert [each for each in results if "error" in each] == []
    assert len(results) == source.count('\n    test("')


@pytest.mark.parametrize("program", ["Calls", "Streams"])
def test_units_do_what_their_tests_say(program: str) -> None:
    assert_all_pass(program)


def test_a_customer_does_everything_that_the_shop_offers(shop: Shop) -> None:
    assert_all_pass("Customer", shop.url)


def test_the_example_places_an_order(shop: Shop) -> None:
    assert "is paid for" in run(java("example.FirstOrderKt", shop.url))


def test_the_gradle_module_is_whole() -> None:
    with zipfile.ZipFile(published(".zip")) as files:
        names = {name.partition("/")[2] for name in files.namelist()}
    assert {"README.md", "LICENSE", "build.gradle.kts", "settings.gradle.kts"} <= names
    code = "src/main/kotlin"
    assert {f"{code}/contract/client/Session.kt", f"{code}/shop/Shop.kt"} <= names
    assert f"{code}/shop/inventory/v1/Api.kt" in names
    assert not any("messagebus" in name.lower() or "test" in name for name in names)


def test_documentation_of_contracts_is_that_of_classes() -> None:
    with zipfile.ZipFile(published("-sources.jar")) as files:
        text = files.read("shop/inventory/v1/Api.kt").decode()
    assert "    /** How many units can be bought now. */\n    val stock: Int = 0,\n" in text
    assert "@throws InventoryException.ItemNotFound No item has the SKU." in text


def test_what_is_published_is_what_was_compiled_for_android() -> None:
    with zipfile.ZipFile(published(".jar")) as classes:
        compiled = classes.read("shop/Shop.class")
    # Class files of Java 11, which its tools read.
    assert int.from_bytes(compiled[6:8], "big") == 55
    assert published(".jar").stat().st_size < JAR_BYTES


def test_gradle_asks_for_the_versions_that_are_compiled_against() -> None:
    build = (HERE / "build.gradle.kts").read_text()
    compiler = json.loads((HERE / "compiler/package.json").read_text())["dependencies"]
    assert f'kotlin("jvm") version "{compiler["kotlin-compiler"]}"' in build
    libraries = packed() / "programs"
    okhttp = next(libraries.glob("okhttp-jvm-*.jar")).stem.rpartition("-")[2]
    assert f'"com.squareup.okhttp3:okhttp:{okhttp}"' in build
    with zipfile.ZipFile(libraries / "kotlinx-coroutines-core-jvm.jar") as files:
        coroutines = files.read("META-INF/kotlinx_coroutines_core.version").decode().strip()
    assert f'"org.jetbrains.kotlinx:kotlinx-coroutines-core:{coroutines}"' in build
