"""The server's own codec, as a program that goes through the table of ProtoJSON cases.

It reads a message as routes read a body, and writes it as they write an answer.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from codegen import names
from codegen.testing.compiling import TESTDATA, compile_contracts
from seam.contract.errors import InvalidField
from seam.http.messages import json_value

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["command"]

CONTRACTS = ("library/v1/values.proto",)
MODULE = "library.v1.values_json"


def command(folder: Path) -> list[str]:
    """Generate the codec in an empty folder, and give the command that runs it."""
    compile_contracts(TESTDATA / "contracts", folder, CONTRACTS, plugins=["records"], python=False)
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return ["env", f"PYTHONPATH={path}", sys.executable, "-m", "clients.protojson.server_program"]


def main() -> None:
    """Answer every line of standard input."""
    module = importlib.import_module(MODULE)
    for line in sys.stdin.buffer:
        asked = msgspec.json.decode(line, type=dict[str, str])
        sys.stdout.buffer.write(msgspec.json.encode(answer(module, **asked)) + b"\n")
        sys.stdout.buffer.flush()


def answer(module: ModuleType, message: str, json: str) -> dict[str, str]:
    """What the server says of a JSON text that is sent as a message.

    Args:
        module: the generated module that converts the message.
        message: its full name.
        json: the text.
    """
    name = message.rpartition(".")[2]
    try:
        record = getattr(module, names.from_json_function(name))(json_value(json))
        written = getattr(module, names.to_json_function(name))(record)
    except InvalidField as refused:
        return {"error": str(refused)}
    return {"json": msgspec.json.encode(written).decode()}


if __name__ == "__main__":
    main()
