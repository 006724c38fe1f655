"""Checks clients and packs them: `./pants check` and `./pants package`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.goals.package import (
    BuiltPackage,
    BuiltPackageArtifact,
    PackageFieldSet,
)
from pants.engine.fs import AddPrefix, Digest, RemovePrefix, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import WrappedTarget, WrappedTargetRequest
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from web_client.npm import NpmRequest, NpmResult
from web_client.sources import WebClientFieldSet, WebClientSources, WebClientSourcesRequest
from web_client.targets import WebClientSourcesField

# Declarations keep what contracts say; code is as small as it gets.
COMPILE = (
    "tsc -p . --emitDeclarationOnly",
    "tsc -p . --declaration false --removeComments",
)
PACKED = "packed"


class NpmError(Exception):
    """Says what npm or tsc refused."""


class CheckWebClientRequest(CheckRequest):
    """Asks for strict checks of all clients among the targets of a `check`."""

    field_set_type = WebClientFieldSet
    tool_name = "tsc"


@dataclass(frozen=True)
class PackageWebClientFieldSet(PackageFieldSet):
    """A target that `package` packs."""

    required_fields = (WebClientSourcesField,)

    sources: WebClientSourcesField


@rule(desc="Check clients with tsc", level=LogLevel.DEBUG)
async def check_web_clients(request: CheckWebClientRequest) -> CheckResults:
    """Compile what is written and generated, and then tests and examples against it."""
    wrapped = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(each.address, description_of_origin="check"))
        for each in request.field_sets
    )
    sources = await MultiGet(
        Get(WebClientSources, WebClientSourcesRequest(each.target)) for each in wrapped
    )
    results = await MultiGet(
        Get(
            NpmResult,
            NpmRequest(each, (COMPILE[0], "tsc -p test"), (), f"Check {of.target.address}"),
        )
        for each, of in zip(sources, wrapped)
    )
    return CheckResults(
        [CheckResult.from_fallible_process_result(each.process) for each in results],
        checker_name=request.tool_name,
    )


@rule(desc="Pack a client", level=LogLevel.DEBUG)
async def package_web_client(field_set: PackageWebClientFieldSet) -> BuiltPackage:
    """Compile, and have npm pack what package.json names."""
    wrapped = await Get(
        WrappedTarget, WrappedTargetRequest(field_set.address, description_of_origin="package")
    )
    sources = await Get(WebClientSources, WebClientSourcesRequest(wrapped.target))
    result = await Get(
        NpmResult,
        NpmRequest(
            sources,
            (*COMPILE, f"npm pack --pack-destination {PACKED}"),
            (PACKED,),
            f"Pack {field_set.address}",
        ),
    )
    if result.process.exit_code != 0:
        words = (result.process.stderr + result.process.stdout).decode(errors="replace").strip()
        raise NpmError(f"{field_set.address} cannot be packed:\n\n{words}\n")
    packed = await Get(Digest, RemovePrefix(result.digest, PACKED))
    snapshot = await Get(Snapshot, AddPrefix(packed, field_set.address.spec_path))
    return BuiltPackage(
        snapshot.digest, tuple(BuiltPackageArtifact(relpath=file) for file in snapshot.files)
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(CheckRequest, CheckWebClientRequest),
        UnionRule(PackageFieldSet, PackageWebClientFieldSet),
    )
