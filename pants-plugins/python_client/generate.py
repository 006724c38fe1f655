"""Turns the contracts that clients see into a package: all at once, since one class holds all."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

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
from pants.core.util_rules.stripped_source_files import StrippedFileName, StrippedFileNameRequest
from pants.engine.addresses import UnparsedAddressInputs
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
    Targets,
)
from pants.engine.unions import UnionRule
from pants.source.source_root import SourceRoot, SourceRootRequest
from pants.util.logging import LogLevel

from contracts.client_facing import ClientContracts
from contracts.dependencies import GeneratedImports, GeneratedImportsRequest
from contracts.modules import ContractError
from contracts.protoc import DRIVER, ContractFiles, ContractFilesRequest, ProtocTool
from contracts.targets import GeneratorsField
from python_client.targets import PythonClientDependencies, PythonClientSourcesField

OUTPUT = "generated"


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


@rule(desc="Generate a Python client", level=LogLevel.DEBUG)
async def generate_python_client(
    request: GeneratePythonClientRequest, contracts: ClientContracts, tool: ProtocTool
) -> GeneratedSources:
    """Run the plugin once, on all contracts and what they import."""
    target = request.protocol_target
    generators, source_root = await MultiGet(
        Get(
            Targets,
            UnparsedAddressInputs,
            target[GeneratorsField].to_unparsed_address_inputs(),
        ),
        Get(SourceRoot, SourceRootRequest, SourceRootRequest.for_target(target)),
    )
    files = await MultiGet(
        Get(ContractFiles, ContractFilesRequest(address)) for address in contracts
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
    package = await Get(Digest, RemovePrefix(result.output_digest, OUTPUT))
    folder = "" if source_root.path == "." else source_root.path
    return GeneratedSources(await Get(Snapshot, AddPrefix(package, folder)))


def module_of(proto: str, package: str) -> str:
    """Name the module of one contract, as codegen/python_client/modules.py does.

    It is said twice, so that a contract which cannot be generated is no hindrance to what does not
    need it. Where the two differ, Pants finds nobody who has the module, and says so.
    """
    match = re.fullmatch(r"(.+)/v(\d+)/([^/]+)\.proto", proto)
    if match is None:
        return f"{package}.{proto.removesuffix('.proto').replace('-', '_').replace('/', '_')}"
    name, version, stem = match.groups()
    name = name.replace("/", "_")
    name += "" if stem == "api" else f"_{stem}"
    return f"{package}.{name}" + ("" if version == "1" else f"_v{version}")


@rule(desc="Map Python clients to modules", level=LogLevel.DEBUG)
async def map_clients_to_modules(
    _: PythonClientModulesMarker,
    targets: AllTargets,
    contracts: AllProtobufTargets,
    python_setup: PythonSetup,
) -> FirstPartyPythonMappingImpl:
    """Tell import inference which modules each client has.

    A client has no module of a contract that clients do not see. To offer one does no harm.
    """
    protos = await MultiGet(
        Get(StrippedFileName, StrippedFileNameRequest(contract[ProtobufSourceField].file_path))
        for contract in contracts
    )
    modules: defaultdict[str, list[ModuleProvider]] = defaultdict(list)
    for client in targets:
        if not client.has_field(PythonClientSourcesField):
            continue
        package = client.address.target_name
        for module in (package, *(module_of(proto.value, package) for proto in protos)):
            modules[module].append(ModuleProvider(client.address, ModuleProviderType.IMPL))
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
    return InferredDependencies(sorted({*imports.owners, *contracts}))


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(GenerateSourcesRequest, GeneratePythonClientRequest),
        UnionRule(FirstPartyPythonMappingImplMarker, PythonClientModulesMarker),
        UnionRule(InferDependenciesRequest, InferPythonClientRequest),
    )
