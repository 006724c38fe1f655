"""What generated code depends on: the owners of the modules that it imports.

Nothing is declared. The code is generated, which Pants remembers, and read as if it had been
written by hand; a plugin that begins to import another module needs no change here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.backend.codegen.protobuf.target_types import (
    ProtobufDependenciesField,
    ProtobufSourceField,
)
from pants.backend.python.dependency_inference.module_mapper import (
    PythonModuleOwners,
    PythonModuleOwnersRequest,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonSourceField
from pants.engine.addresses import Address
from pants.engine.fs import Digest, DigestSubset, PathGlobs
from pants.engine.internals.native_dep_inference import NativeParsedPythonDependencies
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    FieldSet,
    HydratedSources,
    HydrateSourcesRequest,
    InferDependenciesRequest,
    InferredDependencies,
    SourcesField,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from contracts.modules import GeneratedContract, GeneratedContractRequest
from contracts.targets import (
    ContractDependencies,
    ContractField,
    ContractSourcesField,
)


@dataclass(frozen=True)
class ProtobufFieldSet(FieldSet):
    """A contract, from which `_pb2` modules come."""

    required_fields = (ProtobufSourceField, ProtobufDependenciesField)

    sources: ProtobufSourceField


@dataclass(frozen=True)
class GeneratedFieldSet(FieldSet):
    """A target that stands for records or mocks."""

    required_fields = (ContractField, ContractDependencies, ContractSourcesField)

    contract: ContractField
    sources: ContractSourcesField


class InferProtobufRequest(InferDependenciesRequest):
    """Asks what `_pb2` modules import."""

    infer_from = ProtobufFieldSet


class InferGeneratedRequest(InferDependenciesRequest):
    """Asks what records or mocks import."""

    infer_from = GeneratedFieldSet


@dataclass(frozen=True)
class GeneratedImportsRequest:
    """Asks for the owners of all that the Python generated for a target imports."""

    address: Address
    sources: SourcesField


@dataclass(frozen=True)
class GeneratedImports:
    """The targets that generated code needs."""

    owners: tuple[Address, ...]


@rule(desc="Read the imports of generated code", level=LogLevel.DEBUG)
async def find_generated_imports(
    request: GeneratedImportsRequest, python_setup: PythonSetup
) -> GeneratedImports:
    """Generate, parse, and look up who provides each module."""
    hydrated = await Get(
        HydratedSources,
        HydrateSourcesRequest(
            request.sources, for_sources_types=(PythonSourceField,), enable_codegen=True
        ),
    )
    files = await MultiGet(
        Get(Digest, DigestSubset(hydrated.snapshot.digest, PathGlobs([file])))
        for file in hydrated.snapshot.files
        # Stubs name the same modules, and type checks read them beside the code.
        if file.endswith(".py")
    )
    parsed = await MultiGet(Get(NativeParsedPythonDependencies, Digest, file) for file in files)
    imported = sorted({module for each in parsed for module in each.imports})
    owners = await MultiGet(
        Get(
            PythonModuleOwners,
            PythonModuleOwnersRequest(module, resolve=python_setup.default_resolve),
        )
        for module in imported
    )
    return GeneratedImports(
        tuple(
            sorted(
                {
                    address
                    for each in owners
                    for address in each.unambiguous
                    if address != request.address
                }
            )
        )
    )


@rule
async def infer_protobuf(request: InferProtobufRequest) -> InferredDependencies:
    """Give `_pb2` modules the runtime libraries and the contracts that they import."""
    imports = await Get(
        GeneratedImports,
        GeneratedImportsRequest(request.field_set.address, request.field_set.sources),
    )
    return InferredDependencies(imports.owners)


@rule
async def infer_generated(request: InferGeneratedRequest) -> InferredDependencies:
    """Give records and mocks what they import, and the contract that they are made from."""
    wrapped = await Get(
        WrappedTarget,
        WrappedTargetRequest(request.field_set.address, description_of_origin="<infallible>"),
    )
    imports, generated = await MultiGet(
        Get(
            GeneratedImports,
            GeneratedImportsRequest(request.field_set.address, request.field_set.sources),
        ),
        Get(GeneratedContract, GeneratedContractRequest(wrapped.target)),
    )
    return InferredDependencies(sorted({*imports.owners, generated.contract}))


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferProtobufRequest),
        UnionRule(InferDependenciesRequest, InferGeneratedRequest),
    )
