"""What is generated from made-up contracts, with names that ask for trouble, is Swift."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from clients.ios.checking.check import problems
from clients.ios.protojson_program import HERE, assemble
from clients.ios.toolchain import toolchain
from codegen.swift.package import package
from codegen.testing.accepting import SEEDS, generate_random_contracts


def compiled(folder: Path) -> str:
    """What the compiler says of all files of a folder."""
    files = [str(path) for path in folder.rglob("*.swift")]
    command = ["swiftc", "-typecheck", "-swift-version", "6", "-module-name", "ShopClient"]
    result = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    return result.stderr if result.returncode else ""


@pytest.mark.parametrize("seed", SEEDS)
def test_made_up_contracts_give_clients_that_are_swift(tmp_path: Path, seed: int) -> None:
    files = generate_random_contracts(seed, tmp_path / "contracts")
    client = tmp_path / "client"
    shutil.copytree(HERE / "Sources/ShopClient/Runtime", client / "Runtime")
    generated = client / "Generated"
    generated.mkdir()
    for path, content in package(files, "shop", everything=True):
        (generated / path).write_text(content)
    assert not problems(client)
    if toolchain():
        assert not compiled(client)


def test_the_program_that_reads_the_table_is_swift(tmp_path: Path) -> None:
    assemble(tmp_path)
    assert not problems(tmp_path)
