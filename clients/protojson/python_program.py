"""The Python client, as a program that goes through the table of ProtoJSON cases."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from codegen.python_client.client import respond
from codegen.testing.compiling import TESTDATA, request_for
from contract_client.descriptors import InvalidJsonError, from_json, to_json

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["command"]

PACKAGE = "library_client"
MODULE = f"{PACKAGE}.library_values"


def command(folder: Path) -> list[str]:
    """Generate a client in an empty folder, and give the command that runs it."""
    request = request_for(
        TESTDATA / "contracts", ["library/v1/api.proto", "library/v1/values.proto"]
    )
    request.parameter = PACKAGE
    for file in respond(request).file:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
    path_of_python = os.pathsep.join([str(folder), *filter(None, sys.path)])
    program = "clients.protojson.python_program"
    return ["env", f"PYTHONPATH={path_of_python}", sys.executable, "-m", program]


def main() -> None:
    """Answer every line of standard input."""
    module = importlib.import_module(MODULE)
    for line in sys.stdin.buffer:
        asked = msgspec.json.decode(line, type=dict[str, str])
        sys.stdout.buffer.write(msgspec.json.encode(answer(module, **asked)) + b"\n")
        sys.stdout.buffer.flush()


def answer(module: ModuleType, message: str, json: str) -> dict[str, str]:
    """What the client says of a JSON text that it gets as a message.

    Args:
        module: the generated module that has the message.
        message: its full name.
        json: the text.
    """
    try:
        value = msgspec.json.decode(json)
        written = to_json(from_json(getattr(module, message.rpartition(".")[2]), value))
    except (InvalidJsonError, msgspec.DecodeError, ValueError) as refused:
        return {"error": str(refused)}
    return {"json": msgspec.json.encode(written).decode()}


if __name__ == "__main__":
    main()
