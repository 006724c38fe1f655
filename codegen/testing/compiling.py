"""Runs protoc, with these plugins in processes of their own as a build does. For tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import google.api.http_pb2
import grpc_tools
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "CONTRACTS",
    "PLUGINS",
    "TESTDATA",
    "ProtocError",
    "compile_contracts",
    "request_for",
]

PLUGINS = ("records", "bus", "events", "routes", "mocks")

TESTDATA = Path(__file__).parent / "testdata"
"""Contracts that use everything, and what is expected to be generated from them."""

CONTRACTS = Path(__file__).parents[2] / "protos"
"""The folder that holds `contract/v1/options.proto`."""


class ProtocError(Exception):
    """protoc refused a contract; the text is what it printed."""


def compile_contracts(
    sources: Path,
    out: Path,
    files: Iterable[str],
    *,
    plugins: Sequence[str] = PLUGINS,
    modules: Mapping[str, str] | None = None,
    python: bool = True,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Generate Python from contracts.

    Args:
        sources: the folder that holds the contracts.
        out: where the modules go; it is made.
        files: the contracts to generate from, relative to `sources`.
        plugins: which of our plugins to run.
        modules: the records modules of contracts that are not at their default place.
        python: whether to write `_pb2` modules and their types, too.
        environment: variables to set for the plugins.

    Raises:
        ProtocError: protoc or a plugin refused a contract.
    """
    out.mkdir(parents=True, exist_ok=True)
    parameter = ",".join(f"M{file}={module}" for file, module in (modules or {}).items())
    command = [sys.executable, "-m", "grpc_tools.protoc"]
    command += [f"-I{folder}" for folder in (sources, *_import_paths())]
    if python:
        command += [f"--python_out={out}", f"--pyi_out={out}"]
    for plugin in plugins:
        command.append(f"--plugin=protoc-gen-{plugin}={_shim(out, plugin)}")
        command.append(f"--{plugin}_out={parameter}:{out}")
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), *sys.path]))
    variables = {**os.environ, **(environment or {}), "PYTHONPATH": path}
    result = subprocess.run(
        [*command, *files], env=variables, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ProtocError(result.stderr)


def request_for(sources: Path, files: Iterable[str]) -> CodeGeneratorRequest:
    """What protoc would send to a plugin.

    Args:
        sources: the folder that holds the contracts.
        files: the contracts to generate from, relative to `sources`.

    Raises:
        ProtocError: protoc refused a contract.
    """
    files = tuple(files)
    with tempfile.NamedTemporaryFile() as described:
        options = [f"--descriptor_set_out={described.name}"]
        options += ["--include_imports", "--include_source_info"]
        options += [f"-I{folder}" for folder in (sources, *_import_paths())]
        # In this process, which takes a tenth of the time; what is wrong, only another can print
        # apart.
        if protoc.main(["protoc", *options, *files]):
            command = [sys.executable, "-m", "grpc_tools.protoc", *options, *files]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            raise ProtocError(result.stderr)
        found = FileDescriptorSet.FromString(Path(described.name).read_bytes())
    return CodeGeneratorRequest(file_to_generate=files, proto_file=found.file)


def _import_paths() -> tuple[Path, ...]:
    """Where contract/v1, google/protobuf/*.proto and google/api/*.proto are."""
    shipped = Path(grpc_tools.__file__).parent / "_proto"
    return CONTRACTS, shipped, Path(google.api.http_pb2.__file__).parent.parent.parent


def _shim(out: Path, plugin: str) -> Path:
    """An executable that protoc can start, which runs a plugin."""
    shim = out / f".protoc-gen-{plugin}"
    shim.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m codegen.python.{plugin}\n', encoding="utf-8"
    )
    shim.chmod(0o755)
    return shim
