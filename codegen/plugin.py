"""The main loop of a protoc plugin.

protoc starts a plugin, writes a CodeGeneratorRequest to its standard input and reads a
CodeGeneratorResponse from its standard output. A contract that cannot be handled is an answer like
any other: `file:line:column: reason`, one line for each problem.

Source: https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/compiler/plugin.proto
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

from codegen.contract.loading import load
from codegen.contract.model import ContractFile, Location, Problem, RefusedContractError

__all__ = ["Generate", "Output", "respond", "run"]

Output = tuple[str, str]
"""A file's path and what it holds."""

Generate = Callable[[ContractFile], Iterable[Output]]
"""Writes the files of one contract."""


def run(generate: Generate) -> None:
    """Answer the request on standard input."""
    request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(respond(request, generate).SerializeToString())


def respond(request: CodeGeneratorRequest, generate: Generate) -> CodeGeneratorResponse:
    """The answer to a request.

    Args:
        request: what protoc asks for. Its parameter holds `M<file>=<records module>` entries with
            commas between them, one for each file of the import closure that is not at its default.
        generate: writes the files of one contract.
    """
    response = CodeGeneratorResponse()
    response.supported_features = CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    try:
        modules = _modules(request.parameter)
        for file in load(request, modules):
            for path, content in generate(file):
                response.file.add(name=path, content=content)
    except RefusedContractError as problems:
        del response.file[:]
        response.error = str(problems)
    return response


def _modules(parameter: str) -> Mapping[str, str]:
    """The records modules that a parameter names.

    Raises:
        RefusedContractError: the parameter cannot be understood.
    """
    return dict(_entries(parameter))


def _entries(parameter: str) -> Iterator[tuple[str, str]]:
    for entry in filter(None, parameter.split(",")):
        file, equals, module = entry.removeprefix("M").partition("=")
        parts = module.split(".")
        if not (entry.startswith("M") and equals and all(part.isidentifier() for part in parts)):
            reason = "expected M<file>.proto=<python module>, such as Ma/v1/b.proto=services.a.b"
            raise RefusedContractError(
                [Problem(Location("parameter", 1, 1), f"{entry!r}: {reason}")]
            )
        yield file, module
