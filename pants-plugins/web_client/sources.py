"""Puts generated TypeScript beside what is written by hand."""

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
from web_client.targets import (
    LicenseField,
    ProductField,
    WebClientDependencies,
    WebClientGeneratorsField,
    WebClientSourcesField,
)

PLUGIN = "codegen.typescript.client"


@dataclass(frozen=True)
class WebClientSourcesRequest:
    """Asks for all sources of a client."""

    target: Target


@dataclass(frozen=True)
class WebClientSources:
    """A client's folder as npm and tsc want it: what is written and what is generated."""

    digest: Digest


@dataclass(frozen=True)
class WebClientFieldSet(FieldSet):
    """A target that is a client."""

    required_fields = (WebClientSourcesField, WebClientDependencies)

    sources: WebClientSourcesField


class InferWebClientRequest(InferDependenciesRequest):
    """Asks for the contracts that a client is generated from."""

    infer_from = WebClientFieldSet


@rule
async def infer_web_client(
    request: InferWebClientRequest, contracts: ClientContracts
) -> InferredDependencies:
    """Make a change of a contract a change of the client."""
    return InferredDependencies(contracts)


@rule(desc="Generate a client in TypeScript", level=LogLevel.DEBUG)
async def generate_web_client(
    request: WebClientSourcesRequest, contracts: ClientContracts, tool: ProtocTool
) -> WebClientSources:
    """Run the plugin once over all contracts, since they share one package."""
    target = request.target
    files = await MultiGet(Get(ContractFiles, ContractFilesRequest(each)) for each in contracts)
    generators, licenses = await MultiGet(
        Get(
            Targets,
            UnparsedAddressInputs,
            target[WebClientGeneratorsField].to_unparsed_address_inputs(),
        ),
        Get(Targets, UnparsedAddressInputs, target[LicenseField].to_unparsed_address_inputs()),
    )
    plugin, written, license_file, closure, driver = await MultiGet(
        Get(
            SourceFiles,
            SourceFilesRequest(
                (each[SourcesField] for each in generators if each.has_field(SourcesField)),
                for_sources_types=(PythonSourceField,),
            ),
        ),
        Get(SourceFiles, SourceFilesRequest([target[WebClientSourcesField]])),
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
                json.dumps({"typescript": PLUGIN}),
                f"--typescript_out={OUTPUT}",
                f"--typescript_opt=product={target[ProductField].value}",
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
    sources = await Get(Digest, AddPrefix(generated, "src"))
    return WebClientSources(
        await Get(Digest, MergeDigests((sources, by_hand, license_file.snapshot.digest)))
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (*collect_rules(), UnionRule(InferDependenciesRequest, InferWebClientRequest))
