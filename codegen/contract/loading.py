"""Builds the model from descriptors: the first half of every generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.clashes import clashes, json_claims, module_claims, name_claims
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
        request: what protoc sends.
        modules: the records modules of files that are not at their default place.

    Raises:
        RefusedContractError: something in these files cannot be generated.
    """
    wanted = frozenset(request.file_to_generate)
    unreadable = [
        problem
        for file in request.proto_file
        if file.name in wanted
        for problem in clashes(json_claims(file))
    ]
    if unreadable:
        raise RefusedContractError(unreadable)
    declarations = Declarations.of(request.proto_file, wanted, modules)
    readers = [FileReader(file, declarations) for file in request.proto_file]
    types: dict[str, Message | Enum] = {}
    for reader in readers:
        types.update({message.full_name: message for message in reader.messages})
        types.update({enum.full_name: enum for enum in reader.enums})
    dependencies = {file.name: tuple(file.dependency) for file in request.proto_file}
    files: list[ContractFile] = []
    others: list[ContractFile] = []
    problems: list[Problem] = []
    for reader in readers:
        if declares_options(reader.file):
            if reader.file.service and reader.file.name in wanted:
                problems.append(reader.both_options_and_services())
        elif reader.file.name in wanted:
            file = reader.finish(types, dependencies)
            files.append(file)
            problems += reader.problems
            problems += clashes(name_claims(file))
        elif not reader.file.name.startswith("google/"):
            others.append(reader.finish(types, dependencies))
    problems += clashes(module_claims([*others, *files]))
    if problems:
        raise RefusedContractError(problems)
    return files
