"""The wheel, installed where nothing else of the repository is, against the running shop."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import mypy
import pytest

from tests.system.topologies import Shop, start_shop

WHEEL: Final = "shop_client-*-py3-none-any.whl"
EXAMPLES: Final = Path(__file__).with_name("examples")
TIMEOUT: Final = 120.0


def wheel() -> Path:
    """The wheel, which Pants puts beside the test, and `package` into dist/."""
    found = sorted([*Path.cwd().glob(WHEEL), *Path("dist").absolute().glob(WHEEL)])
    assert found, "there is no wheel: run `./pants package clients/python:wheel`"
    return found[0]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and of everything else only libraries."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=True)
    program = home / "bin/python"
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel())]
    subprocess.run([program, *install], check=True, timeout=TIMEOUT)
    (packages,) = home.glob("lib/python*/site-packages")
    # The libraries are those of the locks, as this test has them.
    libraries = {str(Path(module.__path__[0]).parent) for module in (httpx, mypy)}
    (packages / "libraries.pth").write_text("\n".join(sorted(libraries)))
    return program


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    running = start_shop("monolith", tmp_path_factory.mktemp("shop"))
    yield running
    running.close()


def run(python: Path, folder: Path, *arguments: str | Path) -> str:
    """What a program prints that is isolated from what this test can import."""
    program = subprocess.run(
        [python, "-I", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert program.returncode == 0, program.stdout + program.stderr
    return program.stdout


def test_an_installed_client_takes_a_tour_of_the_shop(
    python: Path, shop: Shop, tmp_path: Path
) -> None:
    told = run(python, tmp_path, EXAMPLES / "tour.py", shop.url, shop.address("grpc"))
    assert told == "saw everything\n"


def test_the_example_buys_something(python: Path, shop: Shop, tmp_path: Path) -> None:
    assert run(python, tmp_path, EXAMPLES / "buy.py", shop.url).endswith(" items\n")


def test_the_wheel_holds_nothing_of_the_seam_and_no_tests(python: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(wheel()).namelist()
    folders = {name.split("/")[0] for name in names}
    assert {"contract_client", "shop_client", "inventory"} <= folders
    assert not folders & {"seam", "lib", "services", "codegen", "tests"}
    assert not [name for name in names if name.endswith("_test.py") or "testing" in name]
    assert not [name for name in names if "messagebus" in name]
    program = "import shop_client, importlib.util as u; print(u.find_spec('seam'))"
    assert run(python, tmp_path, "-c", program) == "None\n"


def test_the_wheel_lists_its_files_and_bears_no_date() -> None:
    with zipfile.ZipFile(wheel()) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
        listed = dict(line.split(",", 1) for line in archive.read(record).decode().splitlines())
        found = {record: ","}
        for name in set(archive.namelist()) - {record}:
            content = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            found[name] = f"sha256={digest.rstrip('=')},{len(content)}"
        assert listed == found
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_a_program_that_uses_the_wheel_passes_strict_type_checks(
    python: Path, tmp_path: Path
) -> None:
    cache = f"--cache-dir={tmp_path}"
    options = ["--strict", f"--python-executable={python}", cache]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, EXAMPLES / "buy.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_program_that_a_contract_does_not_fit_fails_type_checks(
    python: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from shop_client import Client\n"
        "with Client('http://localhost') as client:\n"
        "    item = client.inventory.get_item(sku=1)\n"
        "    print(item.weight)\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", f"--python-executable={python}", "--cache-dir=x", wrong],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert "wrong.py:3" in checked.stdout
    assert 'wrong.py:4: error: "Item" has no attribute "weight"' in checked.stdout
