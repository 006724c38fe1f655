"""Builds the model from descriptors: the first half of every generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.declarations import Declarations, declares_options
from codegen.contract.files import FileReader
from codegen.contract.model import ContractFile, Enum, Message, Problem, RefusedContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest

__all__ = ["load"]


def load(request: CodeGeneratorRequest, modules: Mapping[str, str]) -> list[ContractFile]:
    """The files that a request asks to generate from.

    A file that declares options describes contracts rather than data, so it is left out.

    Args:
        request: What protoc sends.
        modules: The records modules of files that are not at their default place.

    Raises:
        RefusedContractError: Something in these files cannot be generated.
    """
    wanted = frozenset(request.file_to_generate)
    declarations = Declarations.of(request.proto_file, wanted, modules)
    readers = [FileReader(file, declarations) for file in request.proto_file]
    types: dict[str, Message | Enum] = {}
    for reader in readers:
        types.update({message.full_name: message for message in reader.messages})
        types.update({enum.full_name: enum for enum in reader.enums})
    dependencies = {file.name: tuple(file.dependency) for file in request.proto_file}
    files: list[ContractFile] = []
    problems: list[Problem] = []
    for reader in readers:
        if reader.file.name in wanted and not declares_options(reader.file):
            files.append(reader.finish(types, dependencies))
            problems += reader.problems
    if problems:
        raise RefusedContractError(problems)
    return files
