"""Teaches Pants `npm_files`: files of packages on npm, as resources of Python's.

What is taken is installed from a lock, never committed, and part of whatever depends on the target.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pants.core.target_types import ResourceSourceField
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestContents,
    DigestSubset,
    FileContent,
    GlobMatchErrorBehavior,
    PathGlobs,
    RemovePrefix,
    Snapshot,
)
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    DictStringToStringField,
    GeneratedSources,
    GenerateSourcesRequest,
    MultipleSourcesField,
    Target,
)
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from web_client.npm import InstalledPackages
from web_client.sources import WebClientSources


class NpmFilesSourcesField(MultipleSourcesField):
    """What says which packages."""

    default = (".npmrc", "package.json", "package-lock.json")
    expected_num_files = 3
    help = "package.json with its lock, and what npm goes by."


class TakenField(DictStringToStringField):
    """Which files, and where they go."""

    alias = "files"
    required = True
    help = "Paths below node_modules/, and what they become below the folder of the BUILD file."


class NpmFiles(Target):
    """Files of packages on npm."""

    alias = "npm_files"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, NpmFilesSourcesField, TakenField)
    help = "Files of packages that a package-lock.json names, as resources."


class TakeNpmFilesRequest(GenerateSourcesRequest):
    """Offers the files wherever Pants looks for resources."""

    input = NpmFilesSourcesField
    output = ResourceSourceField


@rule(desc="Take files of packages on npm", level=LogLevel.DEBUG)
async def take_npm_files(request: TakeNpmFilesRequest) -> GeneratedSources:
    """Install the packages, and put what is wanted of them where it belongs."""
    folder = request.protocol_target.address.spec_path
    taken = {
        f"node_modules/{source}": PurePath(folder, place).as_posix()
        for source, place in (request.protocol_target[TakenField].value or {}).items()
    }
    locks = await Get(Digest, RemovePrefix(request.protocol_sources.digest, folder))
    packages = await Get(InstalledPackages, WebClientSources, WebClientSources(locks))
    globs = PathGlobs(
        sorted(taken),
        glob_match_error_behavior=GlobMatchErrorBehavior.error,
        description_of_origin=f"the field `files` of {request.protocol_target.address}",
    )
    contents = await Get(
        DigestContents, Digest, await Get(Digest, DigestSubset(packages.digest, globs))
    )
    placed = CreateDigest(FileContent(taken[each.path], each.content) for each in contents)
    return GeneratedSources(await Get(Snapshot, CreateDigest, placed))


def target_types() -> Iterable[type]:
    """Give Pants the target that BUILD files may name."""
    return (NpmFiles,)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (*collect_rules(), UnionRule(GenerateSourcesRequest, TakeNpmFilesRequest))
