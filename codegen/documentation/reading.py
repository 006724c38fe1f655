"""Reads all contracts of a folder, for what describes them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import google.api.http_pb2
import grpc_tools
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from codegen.contract.loading import load

if TYPE_CHECKING:
    from codegen.contract.model import ContractFile

__all__ = ["UnreadableContractsError", "read_contracts"]


class UnreadableContractsError(Exception):
    """protoc refused a contract; the text is what it printed."""


def read_contracts(folder: Path) -> tuple[ContractFile, ...]:
    """The contracts below a folder, in the order of their paths.

    Those that declare options are left out, and so are those of Google's.

    Args:
        folder: what paths in `import` are relative to.

    Raises:
        UnreadableContractsError: there is none, or protoc refused one.
        RefusedContractError: nothing can be generated from one.
    """
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.proto"))
    files = [path for path in paths if not path.startswith("google/")]
    if not files:
        raise UnreadableContractsError(f"{folder}: expected a folder that holds contracts, *.proto")
    shipped = Path(grpc_tools.__file__).parent / "_proto"
    rules_of_http = Path(google.api.http_pb2.__file__).parents[2]
    with tempfile.TemporaryDirectory() as temporary:
        described = Path(temporary, "contracts.pb")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_out={described}"]
        command += ["--include_imports", "--include_source_info"]
        command += [f"-I{each}" for each in (folder, shipped, rules_of_http)]
        result = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
        if result.returncode:
            raise UnreadableContractsError(result.stderr)
        found = FileDescriptorSet.FromString(described.read_bytes())
    return tuple(load(CodeGeneratorRequest(file_to_generate=files, proto_file=found.file), {}))
