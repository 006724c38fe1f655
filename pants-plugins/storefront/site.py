"""Checks a storefront with tsc, and builds it with esbuild."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.target_types import ResourceSourceField
from pants.engine.addresses import Address
from pants.engine.fs import AddPrefix, Digest, DigestSubset, PathGlobs, RemovePrefix, Snapshot
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    GeneratedSources,
    GenerateSourcesRequest,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from storefront.targets import StorefrontSourcesField
from storefront.tree import Fragments, ShellRequest, StorefrontFieldSet, TreeRequest
from web_client.npm import NpmRequest, NpmResult
from web_client.sources import WebClientSources

BUILT = "built"
# Of a change of these, a built site is the same.
ONLY_FOR_TESTS = (
    "**/*.test.ts",
    "**/*.test.tsx",
    "**/testing/**",
    "**/bundle_tests.js",
    "**/tsconfig.test.json",
)


class StorefrontError(Exception):
    """Says why a storefront cannot be built."""


class BuildStorefrontRequest(GenerateSourcesRequest):
    """Our output, for what serves it."""

    input = StorefrontSourcesField
    output = ResourceSourceField


class CheckStorefrontRequest(CheckRequest):
    """Asks for strict checks of all storefronts among the targets of a `check`."""

    field_set_type = StorefrontFieldSet
    tool_name = "tsc-storefront"


@rule(desc="Check storefronts with tsc", level=LogLevel.DEBUG)
async def check_storefronts(request: CheckStorefrontRequest, fragments: Fragments) -> CheckResults:
    """Compile everything at once, since fragments stand on the shell's types and the client's."""
    wrapped = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(each.address, description_of_origin="check"))
        for each in request.field_sets
    )
    shells = await MultiGet(Get(Address, ShellRequest(each.target)) for each in wrapped)
    trees = await MultiGet(
        Get(WebClientSources, TreeRequest(each, tuple(fragments))) for each in shells
    )
    results = await MultiGet(
        Get(
            NpmResult,
            NpmRequest(
                tree,
                # Tests see more than what browsers run may see.
                tuple(
                    f"tsc -p {shell.spec_path}/{each}"
                    for each in ("tsconfig.json", "tsconfig.test.json")
                ),
                (),
                f"Check {of.target.address}",
            ),
        )
        for tree, shell, of in zip(trees, shells, wrapped)
    )
    return CheckResults(
        [CheckResult.from_fallible_process_result(each.process) for each in results],
        checker_name=request.tool_name,
    )


@rule(desc="Build a storefront", level=LogLevel.DEBUG)
async def build_storefront(
    request: BuildStorefrontRequest, fragments: Fragments
) -> GeneratedSources:
    """Bundle, and put the files where Python finds them as a package."""
    target = request.protocol_target
    shell = await Get(Address, ShellRequest(target))
    whole = await Get(WebClientSources, TreeRequest(shell, (*fragments, target.address)))
    without_tests = PathGlobs(["**", *(f"!{each}" for each in ONLY_FOR_TESTS)])
    tree = WebClientSources(await Get(Digest, DigestSubset(whole.digest, without_tests)))
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
    )
