"""The web client's run-time, as a program that goes through the table of ProtoJSON cases."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Final

from codegen.contract.loading import load
from codegen.testing.compiling import TESTDATA, request_for
from codegen.typescript.package import package
from tests.polyglot.node_process import NODE

__all__ = ["command", "packed_client"]

CONTRACTS: Final = ("library/v1/values.proto",)
PROGRAM: Final = Path(__file__).parent / "test/protojson_program.ts"


def packed_client() -> Path:
    """The client as `./pants package clients/web:package` packs it.

    Raises:
        RuntimeError: it is not packed.
    """
    found = [*Path("clients/web").glob("*.tgz"), *Path("dist/clients/web").glob("*.tgz")]
    if not found:
        raise RuntimeError("run ./pants package clients/web:package first")
    return found[0].absolute()


def command(folder: Path) -> list[str]:
    """Put the packed run-time and what is generated from the contracts into an empty folder.

    Args:
        folder: the folder.

    Returns:
        The command that starts the program.
    """
    with tarfile.open(packed_client()) as files:
        files.extractall(folder / "unpacked", filter="data")
    client = folder / "node_modules/shop-client"
    client.parent.mkdir()
    (folder / "unpacked/package").rename(client)
    # Generated modules look for it beside them.
    (folder / "runtime").symlink_to(client / "dist/runtime")
    # Reading contracts writes beside them.
    contracts = folder / "contracts"
    shutil.copytree(TESTDATA / "contracts", contracts)
    files_of_library = load(request_for(contracts, CONTRACTS), {})
    for path, content in package(files_of_library, "library", everything=True):
        module = folder / path
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(content)
    shutil.copy(PROGRAM, folder)
    # It answers `import` as npm's packages do.
    (folder / "package.json").write_text('{"type": "module"}')
    program = [str(folder / each) for each in (PROGRAM.name, "library/v1/values.ts")]
    return [str(NODE), *program]
