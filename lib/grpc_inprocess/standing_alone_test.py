"""The package can be used without anything else of this repository."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PACKAGE = "lib.grpc_inprocess"
SUPPORT = {"conftest.py", "examples.py", "hosts.py"}
MODULES = sorted(
    path
    for path in FOLDER.glob("*.py")
    if path.name not in SUPPORT and not path.name.endswith("_test.py")
)
README = (FOLDER / "README.md").read_text()


def imported_by(path: Path) -> set[str]:
    """The modules that a module names in its imports, wherever they stand in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def test_the_package_is_here() -> None:
    names = {path.stem for path in MODULES}
    assert names >= {"__init__", "channel", "server", "rpc", "calls", "metadata", "stream"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_imports_nothing_but_python_grpc_and_its_neighbours(path: Path) -> None:
    neighbours = {PACKAGE, *(f"{PACKAGE}.{module.stem}" for module in MODULES)}
    foreign = {
        name
        for name in imported_by(path) - neighbours
        if name.split(".")[0] not in sys.stdlib_module_names | {"grpc"}
    }
    assert not foreign


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_a_copy_runs_the_example_of_the_readme(tmp_path: Path) -> None:
    copy = tmp_path / "lib" / "grpc_inprocess"
    copy.mkdir(parents=True)
    for path in MODULES:
        shutil.copy(path, copy)
    (program,), (printed,) = code_blocks("python"), code_blocks("text")
    (tmp_path / "example.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


def test_the_readme_leaves_out_of_a_copy_what_the_package_does_not_need() -> None:
    (commands,) = code_blocks("sh")
    left_out = re.search(r"\{(.*)\}", commands)
    assert left_out
    assert set(left_out[1].split(",")) == {"BUILD", *SUPPORT, "*_test.py"}
