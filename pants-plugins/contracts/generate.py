"""Turns contracts into Python files, where Pants needs them as sources."""

from __future__ import annotations

from collections.abc import Iterable

from pants.backend.codegen.protobuf.target_types import ProtobufSourceField
from pants.backend.python.target_types import PythonSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import AddPrefix, Digest, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    GeneratedSources,
    GenerateSourcesRequest,
    SourcesField,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule
from pants.source.source_root import SourceRoot, SourceRootRequest
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from contracts.modules import GeneratedContract, GeneratedContractRequest, RecordsModules
from contracts.protoc import ContractFiles, ContractFilesRequest, ProtocRequest, ProtocResult
from contracts.targets import GeneratorsField, MocksSourcesField, RecordsSourcesField

RECORDS_PLUGINS = ("records", "bus", "events", "routes")
MOCKS_PLUGINS = ("mocks",)


class GenerateProtobufRequest(GenerateSourcesRequest):
    """The standard Python output: what any gRPC consumer or provider expects."""

    input = ProtobufSourceField
    output = PythonSourceField


class GenerateRecordsRequest(GenerateSourcesRequest):
    """Our output for production code."""

    input = RecordsSourcesField
    output = PythonSourceField


class GenerateMocksRequest(GenerateSourcesRequest):
    """Our output for tests."""

    input = MocksSourcesField
    output = PythonSourceField


# Pants reads the bodies of rules as it loads them: helpers that ask it for something come first.


async def _under(source_root: str, result: ProtocResult) -> GeneratedSources:
    if source_root == ".":
        return GeneratedSources(await Get(Snapshot, Digest, result.digest))
    return GeneratedSources(await Get(Snapshot, AddPrefix(result.digest, source_root)))


async def _run_our_plugins(
    target: Target, modules: RecordsModules, plugins: tuple[str, ...]
) -> GeneratedSources:
    generated, generators = await MultiGet(
        Get(GeneratedContract, GeneratedContractRequest(target)),
        Get(
            Targets,
            UnparsedAddressInputs,
            target[GeneratorsField].to_unparsed_address_inputs(),
        ),
    )
    files, sources = await MultiGet(
        Get(ContractFiles, ContractFilesRequest(generated.contract)),
        Get(
            SourceFiles,
            SourceFilesRequest(
                (each[SourcesField] for each in generators if each.has_field(SourcesField)),
                for_sources_types=(PythonSourceField,),
            ),
        ),
    )
    result = await Get(
        ProtocResult,
        ProtocRequest(
            generated.contract,
            outputs=tuple(f"--{plugin}_out" for plugin in plugins),
            plugins=FrozenDict({plugin: f"codegen.python.{plugin}" for plugin in plugins}),
            # Only what the contract can name: an unrelated contract that moves changes nothing.
            parameters=tuple(
                f"M{proto}={modules.by_proto[proto]}"
                for proto in files.closure
                if proto in modules.by_proto
            ),
            plugin_sources=sources.snapshot.digest,
        ),
    )
    return await _under(generated.source_root, result)


@rule(desc="Generate protobuf modules", level=LogLevel.DEBUG)
async def generate_protobuf(request: GenerateProtobufRequest) -> GeneratedSources:
    """Write `_pb2` and `_pb2_grpc` with their stubs."""
    result, source_root = await MultiGet(
        Get(
            ProtocResult,
            ProtocRequest(
                request.protocol_target.address,
                outputs=("--python_out", "--pyi_out", "--grpc_python_out", "--mypy_grpc_out"),
                plugins=FrozenDict({"mypy_grpc": "mypy_protobuf.main:grpc"}),
            ),
        ),
        Get(SourceRoot, SourceRootRequest, SourceRootRequest.for_target(request.protocol_target)),
    )
    return await _under(source_root.path, result)


@rule(desc="Generate records", level=LogLevel.DEBUG)
async def generate_records(
    request: GenerateRecordsRequest, modules: RecordsModules
) -> GeneratedSources:
    """Run the plugins for production code."""
    return await _run_our_plugins(request.protocol_target, modules, RECORDS_PLUGINS)


@rule(desc="Generate mocks", level=LogLevel.DEBUG)
async def generate_mocks(
    request: GenerateMocksRequest, modules: RecordsModules
) -> GeneratedSources:
    """Run the plugin for mocks."""
    return await _run_our_plugins(request.protocol_target, modules, MOCKS_PLUGINS)


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(GenerateSourcesRequest, GenerateProtobufRequest),
        UnionRule(GenerateSourcesRequest, GenerateRecordsRequest),
        UnionRule(GenerateSourcesRequest, GenerateMocksRequest),
    )
