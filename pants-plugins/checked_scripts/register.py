"""Teaches Pants `checked_scripts`: scripts that run as they are written, checked strictly by tsc.

Nothing is built of them. Where they lie is theirs as well: what `also` names is checked in its
place, so that scripts of a page stay with their page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import Digest, DigestSubset, MergeDigests, PathGlobs, RemovePrefix
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    FieldSet,
    MultipleSourcesField,
    SourcesField,
    SpecialCasedDependencies,
    Target,
    Targets,
    WrappedTarget,
    WrappedTargetRequest,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from web_client.npm import NpmRequest, NpmResult
from web_client.sources import WebClientSources

# By which npm installs; it looks for them where it runs.
NPM_FILES = (".npmrc", "package.json", "package-lock.json")


class CheckedScriptsSourcesField(MultipleSourcesField):
    """The scripts, and how they are checked."""

    default = (*NPM_FILES, "tsconfig*.json", "*.ts")
    uses_source_roots = False
    help = (
        "Scripts and declarations; package.json with its lock, which names TypeScript; each "
        "tsconfig*.json is a project to be checked."
    )


class AlsoField(SpecialCasedDependencies):
    """Scripts elsewhere."""

    alias = "also"
    help = "Targets whose files the projects name as well, in their places in the repository."


class CheckedScripts(Target):
    """Scripts that tsc checks."""

    alias = "checked_scripts"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, CheckedScriptsSourcesField, AlsoField)
    help = "Scripts in TypeScript, or in JavaScript with types in comments, checked by `check`."


@dataclass(frozen=True)
class CheckedScriptsFieldSet(FieldSet):
    """A target whose scripts are checked."""

    required_fields = (CheckedScriptsSourcesField, AlsoField)

    sources: CheckedScriptsSourcesField


class CheckScriptsRequest(CheckRequest):
    """Asks for strict checks of all scripts among the targets of a `check`."""

    field_set_type = CheckedScriptsFieldSet
    tool_name = "tsc-scripts"


@dataclass(frozen=True)
class CheckedTarget:
    """Scripts to be checked."""

    target: Target


@rule(desc="Check scripts with tsc", level=LogLevel.DEBUG)
async def check_scripts_of_target(checked: CheckedTarget) -> CheckResult:
    """Lay all files out as they are in the repository, and what npm goes by at the top."""
    target = checked.target
    others = await Get(
        Targets, UnparsedAddressInputs, target[AlsoField].to_unparsed_address_inputs()
    )
    scripts, elsewhere = await MultiGet(
        Get(SourceFiles, SourceFilesRequest([target[CheckedScriptsSourcesField]])),
        Get(SourceFiles, SourceFilesRequest(each[SourcesField] for each in others)),
    )
    folder = target.address.spec_path
    npm_files = await Get(
        Digest,
        DigestSubset(
            scripts.snapshot.digest, PathGlobs([f"{folder}/{each}" for each in NPM_FILES])
        ),
    )
    at_the_top = await Get(Digest, RemovePrefix(npm_files, folder))
    tree = await Get(
        Digest, MergeDigests((scripts.snapshot.digest, elsewhere.snapshot.digest, at_the_top))
    )
    projects = (each for each in scripts.files if PurePath(each).match("tsconfig*.json"))
    result = await Get(
        NpmResult,
        NpmRequest(
            WebClientSources(tree),
            tuple(f"tsc -p {each}" for each in projects),
            (),
            f"Check {target.address}",
        ),
    )
    return CheckResult.from_fallible_process_result(result.process)


@rule(desc="Check all scripts with tsc", level=LogLevel.DEBUG)
async def check_scripts(request: CheckScriptsRequest) -> CheckResults:
    """Check each target by itself."""
    wrapped = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(each.address, description_of_origin="check"))
        for each in request.field_sets
    )
    results = await MultiGet(Get(CheckResult, CheckedTarget(each.target)) for each in wrapped)
    return CheckResults(results, checker_name=request.tool_name)


def target_types() -> Iterable[type]:
    """Give Pants the target that BUILD files may name."""
    return (CheckedScripts,)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (*collect_rules(), UnionRule(CheckRequest, CheckScriptsRequest))
