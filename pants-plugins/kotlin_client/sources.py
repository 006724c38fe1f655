"""Puts generated Kotlin beside what is written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.pex import VenvPexProcess
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
    Directory,
    FileContent,
    MergeDigests,
    RemovePrefix,
)
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    FieldSet,
    InferDependenciesRequest,
    InferredDependencies,
    SourcesField,
    Target,
    Targets,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from contracts.client_facing import ClientContracts
from contracts.modules import ContractError
from contracts.protoc import DRIVER, OUTPUT, ContractFiles, ContractFilesRequest, ProtocTool
from kotlin_client.targets import (
    KotlinClientDependencies,
    KotlinClientSourcesField,
    KotlinGeneratorsField,
    KotlinLicenseField,
    KotlinProductField,
)

PLUGIN = "codegen.kotlin.client"
SOURCES = "src/main/kotlin"


@dataclass(frozen=True)
class KotlinClientSourcesRequest:
    """Asks for all sources of a client."""

    target: Target


@dataclass(frozen=True)
class KotlinClientSources:
    """A client's folder as Gradle wants it: what is written and what is generated."""

    digest: Digest


@dataclass(frozen=True)
class KotlinClientFieldSet(FieldSet):
    """A target that is a client."""

    required_fields = (KotlinClientSourcesField, KotlinClientDependencies)

    sources: KotlinClientSourcesField


class InferKotlinClientRequest(InferDependenciesRequest):
    """Asks for the contracts that a client is generated from."""

    infer_from = KotlinClientFieldSet


@rule
async def infer_kotlin_client(
    request: InferKotlinClientRequest, contracts: ClientContracts
) -> InferredDependencies:
    """Make a change of a contract a change of the client."""
    return InferredDependencies(contracts)


@rule(desc="Generate a client in Kotlin", level=LogLevel.DEBUG)
async def generate_kotlin_client(
    request: KotlinClientSourcesRequest, contracts: ClientContracts, tool: ProtocTool
) -> KotlinClientSources:
    """Run the plugin once over all contracts, since one class holds all services."""
    target = request.target
    files = await MultiGet(Get(ContractFiles, ContractFilesRequest(each)) for each in contracts)
    generators, licenses = await MultiGet(
        Get(
            Targets,
            UnparsedAddressInputs,
            target[KotlinGeneratorsField].to_unparsed_address_inputs(),
        ),
        Get(
            Targets, UnparsedAddressInputs, target[KotlinLicenseField].to_unparsed_address_inputs()
        ),
    )
    plugin, written, license_file, closure, driver = await MultiGet(
        Get(
            SourceFiles,
            SourceFilesRequest(
                (each[SourcesField] for each in generators if each.has_field(SourcesField)),
                for_sources_types=(PythonSourceField,),
            ),
        ),
        Get(SourceFiles, SourceFilesRequest([target[KotlinClientSourcesField]])),
        Get(SourceFiles, SourceFilesRequest(each[SourcesField] for each in licenses)),
        Get(Digest, MergeDigests(each.digest for each in files)),
        Get(
            Digest,
            CreateDigest([Directory(OUTPUT), FileContent(DRIVER.name, DRIVER.read_bytes())]),
        ),
    )
    protos = await Get(Digest, AddPrefix(closure, "protos"))
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=(
                DRIVER.name,
                json.dumps({"kotlin": PLUGIN}),
                f"--kotlin_out={OUTPUT}",
                f"--kotlin_opt=product={target[KotlinProductField].value}",
                *sorted(each.proto for each in files),
            ),
            input_digest=await Get(Digest, MergeDigests((protos, driver, plugin.snapshot.digest))),
            output_directories=(OUTPUT,),
            description=f"Generate {target.address}",
            level=LogLevel.DEBUG,
        ),
    )
    if result.exit_code != 0:
        words = (result.stderr + result.stdout).decode(errors="replace").strip()
        raise ContractError(f"{target.address} cannot be generated:\n\n{words}\n")
    generated, by_hand = await MultiGet(
        Get(Digest, RemovePrefix(result.output_digest, OUTPUT)),
        Get(Digest, RemovePrefix(written.snapshot.digest, target.address.spec_path)),
    )
    sources = await Get(Digest, AddPrefix(generated, SOURCES))
    return KotlinClientSources(
        await Get(Digest, MergeDigests((sources, by_hand, license_file.snapshot.digest)))
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (*collect_rules(), UnionRule(InferDependenciesRequest, InferKotlinClientRequest))
