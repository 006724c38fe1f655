"""Gathers shell, fragments and client as npm, tsc and esbuild want them.

It also says what depends on what: a storefront on fragments, fragments on the shell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Address, Addresses, UnparsedAddressInputs
from pants.engine.collection import DeduplicatedCollection
from pants.engine.fs import AddPrefix, Digest, DigestSubset, MergeDigests, PathGlobs, RemovePrefix
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    AllTargets,
    FieldSet,
    InferDependenciesRequest,
    InferredDependencies,
    SourcesField,
    Target,
    Targets,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from contracts.client_facing import ClientContracts
from storefront.targets import (
    FragmentDependencies,
    FragmentSourcesField,
    ShellClientField,
    ShellDependencies,
    ShellSourcesField,
    StorefrontDependencies,
    StorefrontShellField,
    StorefrontSourcesField,
)
from web_client.sources import WebClientSources, WebClientSourcesRequest

# By which npm installs; it looks for them where it runs.
NPM_FILES = (".npmrc", "package.json", "package-lock.json")


class Fragments(DeduplicatedCollection[Address]):
    """All fragments."""

    sort_input = True


@dataclass(frozen=True)
class ShellFieldSet(FieldSet):
    """A target that is a shell."""

    required_fields = (ShellSourcesField, ShellDependencies)

    sources: ShellSourcesField


@dataclass(frozen=True)
class FragmentFieldSet(FieldSet):
    """A target that is a fragment."""

    required_fields = (FragmentSourcesField, FragmentDependencies)

    shell: StorefrontShellField


@dataclass(frozen=True)
class StorefrontFieldSet(FieldSet):
    """A target that is a storefront."""

    required_fields = (StorefrontSourcesField, StorefrontDependencies)

    shell: StorefrontShellField


class InferShellRequest(InferDependenciesRequest):
    """Asks what a shell stands on."""

    infer_from = ShellFieldSet


class InferFragmentRequest(InferDependenciesRequest):
    """Asks what a fragment stands on."""

    infer_from = FragmentFieldSet


class InferStorefrontRequest(InferDependenciesRequest):
    """Asks what a storefront is made of."""

    infer_from = StorefrontFieldSet


@dataclass(frozen=True)
class TreeRequest:
    """Asks for a shell, its client, and what stands on it.

    Attributes:
        shell: the shell.
        others: fragments, and a storefront where it is to be built.
    """

    shell: Address
    others: tuple[Address, ...] = ()


@dataclass(frozen=True)
class ShellRequest:
    """Asks for the shell that a target stands on."""

    target: Target


@rule
def find_fragments(targets: AllTargets) -> Fragments:
    """Find the fragments by the kind of their targets."""
    return Fragments(each.address for each in targets if each.has_field(FragmentSourcesField))


@rule
async def find_shell(request: ShellRequest) -> Address:
    """Find the one shell that a target names."""
    named = request.target[StorefrontShellField].to_unparsed_address_inputs()
    (found,) = await Get(Addresses, UnparsedAddressInputs, named)
    return found


@rule
def infer_shell(request: InferShellRequest, contracts: ClientContracts) -> InferredDependencies:
    """Make a change of a contract that fragments may use one of the shell."""
    return InferredDependencies(contracts)


@rule
async def infer_fragment(request: InferFragmentRequest) -> InferredDependencies:
    """Make a change of the shell one of the fragments that stand on it."""
    named = request.field_set.shell.to_unparsed_address_inputs()
    return InferredDependencies(await Get(Addresses, UnparsedAddressInputs, named))


@rule
async def infer_storefront(
    request: InferStorefrontRequest, fragments: Fragments
) -> InferredDependencies:
    """Make a change of the shell or a fragment one of the storefront."""
    named = request.field_set.shell.to_unparsed_address_inputs()
    return InferredDependencies([*await Get(Addresses, UnparsedAddressInputs, named), *fragments])


@rule(desc="Gather a storefront", level=LogLevel.DEBUG)
async def gather(request: TreeRequest) -> WebClientSources:
    """Lay out all files where they are in the repository, and what npm goes by at the top."""
    wrapped = await Get(
        WrappedTarget, WrappedTargetRequest(request.shell, description_of_origin="a storefront")
    )
    shell = wrapped.target
    others, clients = await MultiGet(
        Get(Targets, Addresses(request.others)),
        Get(Targets, UnparsedAddressInputs, shell[ShellClientField].to_unparsed_address_inputs()),
    )
    of_shell, of_others, *generated = await MultiGet(
        Get(SourceFiles, SourceFilesRequest([shell[ShellSourcesField]])),
        Get(SourceFiles, SourceFilesRequest(each[SourcesField] for each in others)),
        *(Get(WebClientSources, WebClientSourcesRequest(each)) for each in clients),
    )
    folder = shell.address.spec_path
    npm_files = await Get(
        Digest,
        DigestSubset(
            of_shell.snapshot.digest, PathGlobs([f"{folder}/{each}" for each in NPM_FILES])
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
                (of_shell.snapshot.digest, of_others.snapshot.digest, at_the_top, *placed)
            ),
        )
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(InferDependenciesRequest, InferShellRequest),
        UnionRule(InferDependenciesRequest, InferFragmentRequest),
        UnionRule(InferDependenciesRequest, InferStorefrontRequest),
    )
