"""protoc-gen-client: writes a Python client for scripts and tests.

It writes one module for each contract and the package that holds them. Run it as
`python -m codegen.python_client.client`, by way of protoc, on all contracts at once; its parameter
is the name of the package.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

from codegen import names
from codegen.contract.loading import load
from codegen.contract.model import ContractFile, OneOf, RefusedContractError
from codegen.python.formatting import format_python
from codegen.python.source import module_source
from codegen.python_client.modules import ClientImports, module_of
from codegen.python_client.package import package_module
from codegen.python_client.records import RecordWriter, enum_constant
from codegen.python_client.services import ServiceWriter, called_methods, method_constant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.plugin import Output

__all__ = ["generate", "respond"]


def respond(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """The answer to a request of protoc.

    Args:
        request: what protoc asks for; all files are of one client.
    """
    response = CodeGeneratorResponse()
    response.supported_features = CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    package = request.parameter or "client"
    modules = {file.name: module_of(file.name, package) for file in request.proto_file}
    try:
        files = load(request, modules)
        for path, content in generate(package, files):
            response.file.add(name=path, content=content)
    except RefusedContractError as problems:
        del response.file[:]
        response.error = str(problems)
    return response


def generate(package: str, files: list[ContractFile]) -> Iterator[Output]:
    """The files of a client.

    Args:
        package: the package that it is.
        files: the contracts.
    """
    folder = package.replace(".", "/")
    yield f"{folder}/py.typed", ""
    yield _formatted(f"{folder}/__init__.py", package_module(package, files))
    for file in files:
        yield _formatted(f"{file.module.replace('.', '/')}.py", contract_module(file))


def contract_module(file: ContractFile) -> str:
    """The module of one contract: enums, records, errors and what calls the services."""
    exports = list(_defined(file))
    constants = [method_constant(s, m) for s in file.services for m in called_methods(s)]
    constants += [enum_constant(enum.name) for enum in file.enums]
    attributes = [member.attribute for message in file.messages for member in message.members]
    imports = ClientImports(file.module, [*exports, *constants, *attributes])
    records = RecordWriter(imports, file.types)
    services = ServiceWriter(imports, file.types, records)
    body = [records.enum(enum) for enum in file.enums]
    body += [part for message in file.messages for part in records.message(message)]
    body += [records.enum_type(enum) for enum in file.enums]
    body += ["\n".join(records.description(message) for message in file.messages)]
    body += [part for service in file.services for part in services.descriptors(service)]
    for service in file.services:
        if called_methods(service):
            body += services.classes(service)
    summary = f"What clients see of the contract `{file.path}`."
    return module_source(file, summary, imports, exports, [part for part in body if part])


def _defined(file: ContractFile) -> Iterator[str]:
    """The public names of a contract's module."""
    for enum in file.enums:
        yield enum.name
    for message in file.messages:
        yield message.name
        if message.error is not None:
            yield names.exception_class(message.name)
        for member in message.members:
            if isinstance(member, OneOf):
                yield member.alias
                yield from (case.case_class for case in member.cases)
    for service in file.services:
        if called_methods(service):
            yield from (service.name, f"Async{service.name}")


def _formatted(path: str, source: str) -> Output:
    return path, format_python(source, path)


if __name__ == "__main__":
    asked = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(respond(asked).SerializeToString())
