"""Gathers shell, fragments and client; checks them with tsc, and builds them with esbuild."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.target_types import ResourceSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Address, Addresses, UnparsedAddressInputs
from pants.engine.collection import DeduplicatedCollection
from pants.engine.fs import (
    AddPrefix,
    Digest,
    DigestSubset,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
    Snapshot,
)
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    AllTargets,
    FieldSet,
    GeneratedSources,
    GenerateSourcesRequest,
    InferDependenciesRequest,
    InferredDependencies,
    Target,
    Targets,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from contracts.client_facing import ClientContracts
from storefront.targets import (
    FragmentSourcesField,
    StorefrontClientField,
    StorefrontDependencies,
    StorefrontSourcesField,
)
from web_client.npm import NpmRequest, NpmResult
from web_client.sources import WebClientSources, WebClientSourcesRequest

# By which npm installs; it looks for them where it runs.
NPM_FILES = (".npmrc", "package.json", "package-lock.json")
BUILT = "built"


class StorefrontError(Exception):
    """Says why a storefront cannot be built."""


class Fragments(DeduplicatedCollection[Address]):
    """All fragments."""

    sort_input = True


@dataclass(frozen=True)
class StorefrontFieldSet(FieldSet):
    """A target that is a storefront."""

    required_fields = (StorefrontSourcesField, StorefrontDependencies)

    sources: StorefrontSourcesField


class InferStorefrontRequest(InferDependenciesRequest):
    """Asks what a storefront is made of."""

    infer_from = StorefrontFieldSet


class BuildStorefrontRequest(GenerateSourcesRequest):
    """Our output, for what serves it."""

    input = StorefrontSourcesField
    output = ResourceSourceField


class CheckStorefrontRequest(CheckRequest):
    """Asks for strict checks of all storefronts among the targets of a `check`."""

    field_set_type = StorefrontFieldSet
    tool_name = "tsc-storefront"


@dataclass(frozen=True)
class StorefrontTreeRequest:
    """Asks for all sources of a storefront."""

    target: Target


@rule
def find_fragments(targets: AllTargets) -> Fragments:
    """Find the fragments by the kind of their targets."""
    return Fragments(each.address for each in targets if each.has_field(FragmentSourcesField))


@rule
async def infer_storefront(
    request: InferStorefrontRequest, fragments: Fragments, contracts: ClientContracts
) -> InferredDependencies:
    """Make a change of a fragment, or of a contract that it may use, one of the storefront."""
    return InferredDependencies([*fragments, *contracts])


@rule(desc="Gather a storefront", level=LogLevel.DEBUG)
async def gather_storefront(
    request: StorefrontTreeRequest, fragments: Fragments
) -> WebClientSources:
    """Lay out all files where they are in the repository, and the client's where it is."""
    target = request.target
    parts, clients = await MultiGet(
        Get(Targets, Addresses(fragments)),
        Get(
            Targets,
            UnparsedAddressInputs,
            target[StorefrontClientField].to_unparsed_address_inputs(),
        ),
    )
    by_hand, fragment_files, *generated = await MultiGet(
        Get(SourceFiles, SourceFilesRequest([target[StorefrontSourcesField]])),
        Get(SourceFiles, SourceFilesRequest(each[FragmentSourcesField] for each in parts)),
        *(Get(WebClientSources, WebClientSourcesRequest(each)) for each in clients),
    )
    folder = target.address.spec_path
    npm_files = await Get(
        Digest,
        DigestSubset(
            by_hand.snapshot.digest, PathGlobs([f"{folder}/{each}" for each in NPM_FILES])
        ),
    )
    at_the_top = await Get(Digest, RemovePrefix(npm_files, folder))
    sources = await MultiGet(
        Get(Digest, DigestSubset(each.digest, PathGlobs(["src/**"]))) for each in generated
    )
    placed = await MultiGet(
        Get(Digest, AddPrefix(each, client.address.spec_path))
        for each, client in zip(sources, clients)
    )
    return WebClientSources(
        await Get(
            Digest,
            MergeDigests(
                (by_hand.snapshot.digest, fragment_files.snapshot.digest, at_the_top, *placed)
            ),
        )
    )


@rule(desc="Check storefronts with tsc", level=LogLevel.DEBUG)
async def check_storefronts(request: CheckStorefrontRequest) -> CheckResults:
    """Compile everything at once, since fragments stand on the shell's types and the client's."""
    wrapped = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(each.address, description_of_origin="check"))
        for each in request.field_sets
    )
    trees = await MultiGet(
        Get(WebClientSources, StorefrontTreeRequest(each.target)) for each in wrapped
    )
    results = await MultiGet(
        Get(
            NpmResult,
            NpmRequest(
                tree, (f"tsc -p {of.target.address.spec_path}",), (), f"Check {of.target.address}"
            ),
        )
        for tree, of in zip(trees, wrapped)
    )
    return CheckResults(
        [CheckResult.from_fallible_process_result(each.process) for each in results],
        checker_name=request.tool_name,
    )


@rule(desc="Build a storefront", level=LogLevel.DEBUG)
async def build_storefront(request: BuildStorefrontRequest) -> GeneratedSources:
    """Bundle, and put the files where Python finds them as a package."""
    target = request.protocol_target
    tree = await Get(WebClientSources, StorefrontTreeRequest(target))
    folder = target.address.spec_path
    result = await Get(
        NpmResult,
        NpmRequest(tree, (f"node {folder}/build.js {BUILT}",), (BUILT,), f"Build {target.address}"),
    )
    if result.process.exit_code != 0:
        words = (result.process.stderr + result.process.stdout).decode(errors="replace").strip()
        raise StorefrontError(f"{target.address} cannot be built:\n\n{words}\n")
    built = await Get(Digest, RemovePrefix(result.digest, BUILT))
    package = PurePath(folder, target.address.target_name).as_posix()
    return GeneratedSources(await Get(Snapshot, AddPrefix(built, package)))


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(CheckRequest, CheckStorefrontRequest),
        UnionRule(GenerateSourcesRequest, BuildStorefrontRequest),
        UnionRule(InferDependenciesRequest, InferStorefrontRequest),
    )
