"""A target that stands for files as they lie in the repository, for tests of the build itself.

Pants' `files` would do, but makes a target of each file and writes them all out as "generated"
with `export-codegen`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pants.core.target_types import FileSourceField
from pants.engine.rules import collect_rules, rule
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    GeneratedSources,
    GenerateSourcesRequest,
    MultipleSourcesField,
    Target,
)
from pants.engine.unions import UnionRule


class SourceTreeSourcesField(MultipleSourcesField):
    """Which files."""

    required = True
    uses_source_roots = False
    help = "Patterns of files, such as 'pants.toml', '**/BUILD', '!dist/**'."


class SourceTree(Target):
    """Part of the repository, as a test finds it in its sandbox."""

    alias = "source_tree"
    core_fields = (*COMMON_TARGET_FIELDS, Dependencies, SourceTreeSourcesField)
    help = "Files of the repository, whatever else owns them; a test that depends on it sees them."


class ShowSourceTreeRequest(GenerateSourcesRequest):
    """Offers the files wherever Pants looks for loose files."""

    input = SourceTreeSourcesField
    output = FileSourceField
    exportable = False


@rule
def show_source_tree(request: ShowSourceTreeRequest) -> GeneratedSources:
    """Hands the files on as they are."""
    return GeneratedSources(request.protocol_sources)


def target_types() -> Iterable[type]:
    """Give Pants the target that BUILD files may name."""
    return (SourceTree,)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (*collect_rules(), UnionRule(GenerateSourcesRequest, ShowSourceTreeRequest))
