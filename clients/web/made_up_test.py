"""What is generated from made-up contracts, with names that ask for trouble, passes strict tsc."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from clients.web.conftest import HERE, run_node
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.typescript.package import package
from tests.polyglot.node_process import NPM

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the client's folder, with what it is compiled by."""
    folder = tmp_path_factory.mktemp("compiler")
    for name in (".npmrc", "package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(HERE / name, folder)
    shutil.copytree(HERE / "src/runtime", folder / "src/runtime")
    run_node([NPM, "ci"], folder)
    return folder


@pytest.mark.parametrize("seed", SEEDS)
def test_made_up_contracts_give_clients_that_compile(
    compiler: Path, tmp_path: Path, seed: int
) -> None:
    files = generate_random_contracts(seed, tmp_path)
    for path, content in package(files, "shop", everything=True):
        module = compiler / "src" / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(content)
    run_node(["node_modules/typescript/bin/tsc", "-p", ".", "--noEmit"], compiler)
