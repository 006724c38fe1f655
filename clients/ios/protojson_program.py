"""The iOS client's run-time, as a program that goes through the table of ProtoJSON cases.

It takes part where there is a Swift toolchain.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from clients.ios.toolchain import run_swift
from codegen.contract.loading import load
from codegen.swift.package import package
from codegen.testing.compiling import TESTDATA, request_for

__all__ = ["assemble", "command"]

HERE: Final = Path(__file__).parent
CONTRACTS: Final = ("library/v1/api.proto", "library/v1/values.proto")
CASES: Final = HERE.parent / "protojson/cases.json"
PROGRAM: Final = "ProtoJSONProgram"


def assemble(folder: Path) -> None:
    """Put the run-time, what is generated from made-up contracts, and the program together.

    Args:
        folder: an empty folder, which becomes a Swift package.
    """
    shutil.copytree(HERE / "ProtoJSON", folder, dirs_exist_ok=True)
    shutil.copy(CASES, folder / "Tests/ProtoJSONTests")
    client = folder / "Sources/LibraryClient"
    shutil.copytree(HERE / "Sources/ShopClient/Runtime", client / "Runtime")
    # Reading contracts writes beside them.
    contracts = folder / "contracts"
    shutil.copytree(TESTDATA / "contracts", contracts)
    files = load(request_for(contracts, CONTRACTS), {})
    shutil.rmtree(contracts)
    generated = client / "Generated"
    generated.mkdir()
    for path, content in package(files, "readers", everything=True):
        (generated / path).write_text(content)


def command(folder: Path) -> list[str]:
    """Build the program in an empty folder.

    Args:
        folder: the folder.

    Returns:
        The command that starts the program.

    Raises:
        AssertionError: it does not compile.
    """
    assemble(folder)
    run_swift(folder, "build", "--product", PROGRAM)
    return ["swift", "run", "--skip-build", "--package-path", str(folder), PROGRAM]
