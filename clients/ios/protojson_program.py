"""The iOS client's run-time, as a program that goes through the table of ProtoJSON cases.

It takes a Swift toolchain, which is used where there is one: `swift` on the PATH.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from codegen.contract.loading import load
from codegen.swift.package import package
from codegen.testing.compiling import TESTDATA, request_for

__all__ = ["assemble", "command", "toolchain"]

HERE: Final = Path(__file__).parent
CONTRACTS: Final = ("library/v1/api.proto", "library/v1/values.proto")
CASES: Final = HERE.parent / "protojson/cases.json"


def toolchain() -> str | None:
    """The compiler driver that is on the PATH; None where there is none."""
    return shutil.which("swift")


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
    generated = client / "Generated"
    generated.mkdir()
    for path, content in package(
        load(request_for(contracts, CONTRACTS), {}), "readers", everything=True
    ):
        (generated / path).write_text(content)
    shutil.rmtree(contracts)


def command(folder: Path) -> list[str]:
    """Build the program in an empty folder.

    Args:
        folder: the folder.

    Returns:
        The command that starts the program.

    Raises:
        subprocess.CalledProcessError: it does not compile.
    """
    assemble(folder)
    swift = ["swift", "build", "--package-path", str(folder)]
    subprocess.run([*swift, "--product", "ProtoJSONProgram"], check=True)
    shown = subprocess.run([*swift, "--show-bin-path"], check=True, capture_output=True, text=True)
    return [str(Path(shown.stdout.strip(), "ProtoJSONProgram"))]
