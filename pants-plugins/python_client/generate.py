"""Turns the contracts that clients see into a package: all at once, since one class holds all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from pants.backend.codegen.protobuf.target_types import AllProtobufTargets, ProtobufSourceField
from pants.backend.python.dependency_inference.module_mapper import (
    FirstPartyPythonMappingImpl,
    FirstPartyPythonMappingImplMarker,
    ModuleProvider,
    ModuleProviderType,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.pex import VenvPexProcess
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Address, UnparsedAddressInputs
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
    Directory,
    FileContent,
    MergeDigests,
    RemovePrefix,
    Snapshot,
)
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    AllTargets,
    FieldSet,
    GeneratedSources,
    GenerateSourcesRequest,
    InferDependenciesRequest,
    InferredDependencies,
    SourcesField,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule
from pants.source.source_root import SourceRoot, SourceRootRequest
from pants.util.logging import LogLevel

from contracts.dependencies import GeneratedImports, GeneratedImportsRequest
from contracts.modules import ContractError
from contracts.protoc import DRIVER, ContractFiles, ContractFilesRequest, ProtocTool
from contracts.targets import GeneratorsField
from python_client.targets import PythonClientDependencies, PythonClientSourcesField

OUTPUT = "generated"
CLIENT_FACING = "api.proto"


@dataclass(frozen=True)
class ClientContracts:
    """The contracts that clients see."""

    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class ClientPackageRequest:
    """Asks for the package that a target stands for."""

    target: Target


@dataclass(frozen=True)
class ClientPackage:
    """A generated package, relative to its source root and in place."""

    stripped: Snapshot
    snapshot: Snapshot


class GeneratePythonClientRequest(GenerateSourcesRequest):
    """Our output for scripts and tests of others."""

    input = PythonClientSourcesField
    output = PythonSourceField


class PythonClientModulesMarker(FirstPartyPythonMappingImplMarker):
    """Makes Pants ask the rule below which modules there are."""


@dataclass(frozen=True)
class PythonClientFieldSet(FieldSet):
    """A target that stands for a client."""

    required_fields = (PythonClientDependencies, PythonClientSourcesField)

    sources: PythonClientSourcesField


class InferPythonClientRequest(InferDependenciesRequest):
    """Asks what a client imports."""

    infer_from = PythonClientFieldSet


@rule
def find_client_contracts(contracts: AllProtobufTargets) -> ClientContracts:
    """Finds them by the name of their file, as all that reads contracts does."""
    return ClientContracts(
        tuple(
            sorted(
                each.address
                for each in contracts
                if PurePath(each[ProtobufSourceField].file_path).name == CLIENT_FACING
            )
        )
    )


@rule(desc="Generate a Python client", level=LogLevel.DEBUG)
async def generate_client_package(
    request: ClientPackageRequest, contracts: ClientContracts, tool: ProtocTool
) -> ClientPackage:
    """Run the plugin once, on all contracts and what they import."""
    target = request.target
    generators, source_root = await MultiGet(
        Get(
            Targets,
            UnparsedAddressInputs,
            target[GeneratorsField].to_unparsed_address_inputs(),
        ),
        Get(SourceRoot, SourceRootRequest, SourceRootRequest.for_target(target)),
    )
    files = await MultiGet(
        Get(ContractFiles, ContractFilesRequest(address)) for address in contracts.addresses
    )
    plugin = await Get(
        SourceFiles,
        SourceFilesRequest(
            (each[SourcesField] for each in generators if each.has_field(SourcesField)),
            for_sources_types=(PythonSourceField,),
        ),
    )
    together = await Get(Digest, MergeDigests(each.digest for each in files))
    protos, driver = await MultiGet(
        Get(Digest, AddPrefix(together, "protos")),
        Get(
            Digest,
            CreateDigest([Directory(OUTPUT), FileContent(DRIVER.name, DRIVER.read_bytes())]),
        ),
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=(
                DRIVER.name,
                json.dumps({"client": "codegen.python_client.client"}),
                f"--client_out={OUTPUT}",
                f"--client_opt={target.address.target_name}",
                *sorted({name for each in files for name in each.closure}),
            ),
            input_digest=await Get(Digest, MergeDigests((protos, driver, plugin.snapshot.digest))),
            output_directories=(OUTPUT,),
            description=f"Generate the Python client {target.address}",
            level=LogLevel.DEBUG,
        ),
    )
    if result.exit_code != 0:
        words = (result.stderr + result.stdout).decode(errors="replace").strip()
        raise ContractError(f"{target.address} cannot be generated:\n\n{words}\n")
    stripped = await Get(Snapshot, RemovePrefix(result.output_digest, OUTPUT))
    folder = "" if source_root.path == "." else source_root.path
    return ClientPackage(stripped, await Get(Snapshot, AddPrefix(stripped.digest, folder)))


@rule(desc="Generate a Python client", level=LogLevel.DEBUG)
async def generate_python_client(request: GeneratePythonClientRequest) -> GeneratedSources:
    """Put the package where its target is."""
    package = await Get(ClientPackage, ClientPackageRequest(request.protocol_target))
    return GeneratedSources(package.snapshot)


@rule(desc="Map Python clients to modules", level=LogLevel.DEBUG)
async def map_clients_to_modules(
    _: PythonClientModulesMarker, targets: AllTargets, python_setup: PythonSetup
) -> FirstPartyPythonMappingImpl:
    """Tell import inference what was generated: the generator alone knows its names."""
    clients = [each for each in targets if each.has_field(PythonClientSourcesField)]
    packages = await MultiGet(
        Get(ClientPackage, ClientPackageRequest(client)) for client in clients
    )
    modules: defaultdict[str, list[ModuleProvider]] = defaultdict(list)
    for client, package in zip(clients, packages):
        for file in package.stripped.files:
            if file.endswith(".py"):
                parts = PurePath(file).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                modules[name].append(ModuleProvider(client.address, ModuleProviderType.IMPL))
    return FirstPartyPythonMappingImpl.create({python_setup.default_resolve: modules})


@rule
async def infer_python_client(
    request: InferPythonClientRequest, contracts: ClientContracts
) -> InferredDependencies:
    """Give a client what it imports, and the contracts that it is made from."""
    imports = await Get(
        GeneratedImports,
        GeneratedImportsRequest(request.field_set.address, request.field_set.sources),
    )
    return InferredDependencies(sorted({*imports.owners, *contracts.addresses}))


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(GenerateSourcesRequest, GeneratePythonClientRequest),
        UnionRule(FirstPartyPythonMappingImplMarker, PythonClientModulesMarker),
        UnionRule(InferDependenciesRequest, InferPythonClientRequest),
    )
