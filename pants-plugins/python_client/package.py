"""Packs a client into a wheel: what it is made of, and the gRPC stubs of its contracts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact, PackageFieldSet
from pants.core.target_types import ResourceSourceField
from pants.core.util_rules.source_files import SourceFilesRequest
from pants.core.util_rules.stripped_source_files import StrippedSourceFiles
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
    Directory,
    FileContent,
    GlobMatchErrorBehavior,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
    Snapshot,
)
from pants.engine.process import ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import SourcesField, TransitiveTargets, TransitiveTargetsRequest
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from python_client.targets import ClientWheelDependencies, ProjectField

SCRIPT = Path(__file__).with_name("write_wheel.py")
OUTPUT = "wheel"


@dataclass(frozen=True)
class ClientWheelFieldSet(PackageFieldSet):
    """A target that stands for a wheel."""

    required_fields = (ClientWheelDependencies, ProjectField)

    project: ProjectField


@rule(desc="Pack a wheel", level=LogLevel.DEBUG)
async def pack_wheel(field_set: ClientWheelFieldSet, python_setup: PythonSetup) -> BuiltPackage:
    """Give the script everything that the target needs of the repository, as it is imported."""
    folder = field_set.address.spec_path
    project = str(PurePath(folder, field_set.project.value))
    texts = PathGlobs(
        [project, f"{folder}/README.md", "LICENSE"],
        glob_match_error_behavior=GlobMatchErrorBehavior.error,
        description_of_origin=f"{field_set.address}",
    )
    transitive, described, python, script = await MultiGet(
        Get(TransitiveTargets, TransitiveTargetsRequest([field_set.address])),
        Get(Digest, PathGlobs, texts),
        Get(
            VenvPex,
            PexRequest(
                output_filename="python.pex",
                internal_only=True,
                interpreter_constraints=InterpreterConstraints(
                    python_setup.interpreter_constraints
                ),
            ),
        ),
        Get(
            Digest,
            CreateDigest([Directory(OUTPUT), FileContent(SCRIPT.name, SCRIPT.read_bytes())]),
        ),
    )
    sources = await Get(
        StrippedSourceFiles,
        SourceFilesRequest(
            (each[SourcesField] for each in transitive.closure if each.has_field(SourcesField)),
            for_sources_types=(PythonSourceField, ResourceSourceField),
            enable_codegen=True,
        ),
    )
    content = await Get(Digest, AddPrefix(sources.snapshot.digest, "content"))
    result = await Get(
        ProcessResult,
        VenvPexProcess(
            python,
            argv=(SCRIPT.name, project, f"{folder}/README.md", "LICENSE", "content", OUTPUT),
            input_digest=await Get(Digest, MergeDigests((content, described, script))),
            output_directories=(OUTPUT,),
            description=f"Pack the wheel {field_set.address}",
            level=LogLevel.DEBUG,
        ),
    )
    wheel = await Get(Snapshot, RemovePrefix(result.output_digest, OUTPUT))
    return BuiltPackage(
        wheel.digest, tuple(BuiltPackageArtifact(relpath=name) for name in wheel.files)
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (*collect_rules(), UnionRule(PackageFieldSet, ClientWheelFieldSet))
