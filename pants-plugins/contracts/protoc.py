"""Runs protoc: the one of grpcio-tools, with its Python output and the plugins of codegen/."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pants.backend.codegen.protobuf.protobuf_dependency_inference import (
    ProtobufMapping,
    parse_proto_imports,
)
from pants.backend.codegen.protobuf.target_types import ProtobufSourceField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.core.util_rules.stripped_source_files import StrippedSourceFiles
from pants.engine.addresses import Address
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
    DigestContents,
    Directory,
    FileContent,
    MergeDigests,
    RemovePrefix,
)
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import WrappedTarget, WrappedTargetRequest
from pants.option.option_types import StrOption
from pants.option.subsystem import Subsystem
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from contracts.modules import ContractError

DRIVER = Path(__file__).with_name("sandbox_protoc.py")
OUTPUT = "generated"


class Contracts(Subsystem):
    """Settings of the section `[contracts]` in pants.toml."""

    options_scope = "contracts"
    help = "Code generated from contracts."

    install_from_resolve = StrOption(
        default="codegen",
        help="The resolve that holds grpcio-tools and what the plugins in codegen/ import.",
    )


@dataclass(frozen=True)
class ContractFileRequest:
    """Asks for one contract's file."""

    contract: Address


@dataclass(frozen=True)
class ContractFilesRequest:
    """Asks for a contract and all that it imports."""

    contract: Address


@dataclass(frozen=True)
class ContractFiles:
    """A contract and every contract of ours that it imports, at any remove."""

    # As contracts import each other: `inventory/v1/api.proto`.
    proto: str
    closure: tuple[str, ...]
    digest: Digest


@dataclass(frozen=True)
class ProtocRequest:
    """Asks protoc to compile one contract."""

    contract: Address
    # Output flags, such as `--python_out`, without their folder.
    outputs: tuple[str, ...]
    # Plugins that are not protoc's own, by name: a Python module, or a function `module:name`.
    plugins: FrozenDict[str, str]
    # What protoc hands to each plugin, such as `Minventory/v1/api.proto=services.…`.
    parameters: tuple[str, ...] = ()
    # Sources of plugins that are ours.
    plugin_sources: Digest | None = None


@dataclass(frozen=True)
class ProtocResult:
    """Generated files, relative to the source root that they belong under."""

    digest: Digest


@dataclass(frozen=True)
class ProtocTool:
    """protoc and Google's contracts, installed."""

    pex: VenvPex


@rule
async def install_protoc(contracts: Contracts, python_setup: PythonSetup) -> ProtocTool:
    """Install protoc and what plugins import from their lock."""
    pex = await Get(
        VenvPex,
        PexRequest(
            output_filename="protoc.pex",
            internal_only=True,
            requirements=PexRequirements(
                from_superset=Resolve(contracts.install_from_resolve, use_entire_lockfile=True)
            ),
            interpreter_constraints=InterpreterConstraints(python_setup.interpreter_constraints),
        ),
    )
    return ProtocTool(pex)


@rule
async def read_contract(request: ContractFileRequest) -> StrippedSourceFiles:
    """Read one contract's file."""
    wrapped = await Get(
        WrappedTarget, WrappedTargetRequest(request.contract, description_of_origin="a contract")
    )
    return await Get(StrippedSourceFiles, SourceFilesRequest([wrapped.target[ProtobufSourceField]]))


@rule(desc="Find what a contract imports", level=LogLevel.DEBUG)
async def find_contract_files(
    request: ContractFilesRequest, mapping: ProtobufMapping
) -> ContractFiles:
    """Follows imports by reading the files.

    Pants' dependency graph knows them too, but asks this rule for it: what generated code
    imports is only known once it is generated.
    """
    sources: dict[Address, StrippedSourceFiles] = {}
    pending = [request.contract]
    while pending:
        found = await MultiGet(
            Get(StrippedSourceFiles, ContractFileRequest(each)) for each in pending
        )
        sources.update(zip(pending, found))
        contents = await MultiGet(
            Get(DigestContents, Digest, each.snapshot.digest) for each in found
        )
        imports = {
            name
            for files in contents
            for file in files
            for name in parse_proto_imports(file.content.decode())
        }
        # Names that are not ours are Google's, which protoc has; if not, protoc says so.
        known = {mapping.mapping[name] for name in imports if name in mapping.mapping}
        pending = sorted(known - sources.keys())
    return ContractFiles(
        proto=sources[request.contract].snapshot.files[0],
        closure=tuple(sorted(name for each in sources.values() for name in each.snapshot.files)),
        digest=await Get(Digest, MergeDigests(each.snapshot.digest for each in sources.values())),
    )


@rule(desc="Compile a contract", level=LogLevel.DEBUG)
async def run_protoc(request: ProtocRequest, tool: ProtocTool) -> ProtocResult:
    """Compile one contract in a sandbox that holds the contract, its imports and the plugins."""
    files = await Get(ContractFiles, ContractFilesRequest(request.contract))
    protos, driver = await MultiGet(
        Get(Digest, AddPrefix(files.digest, "protos")),
        Get(
            Digest,
            CreateDigest([Directory(OUTPUT), FileContent(DRIVER.name, DRIVER.read_bytes())]),
        ),
    )
    inputs = [protos, driver]
    if request.plugin_sources is not None:
        inputs.append(request.plugin_sources)
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=(
                DRIVER.name,
                json.dumps(dict(request.plugins)),
                *(f"{flag}={OUTPUT}" for flag in request.outputs),
                *(
                    f"--{plugin}_opt={parameter}"
                    for plugin in request.plugins
                    for parameter in request.parameters
                ),
                files.proto,
            ),
            input_digest=await Get(Digest, MergeDigests(inputs)),
            output_directories=(OUTPUT,),
            description=f"Generate code from {files.proto}",
            level=LogLevel.DEBUG,
        ),
    )
    if result.exit_code != 0:
        # protoc and the plugins say where and why; a traceback of Pants would only hide it.
        words = (result.stderr + result.stdout).decode(errors="replace").strip()
        raise ContractError(f"{request.contract} cannot be compiled:\n\n{words}\n")
    return ProtocResult(await Get(Digest, RemovePrefix(result.output_digest, OUTPUT)))


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return collect_rules()
