"""Checks Swift packages and packs them: `./pants check` and `./pants package`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact, PackageFieldSet
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
    Snapshot,
)
from pants.engine.process import FallibleProcessResult, ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import SourcesField, Target, Targets, WrappedTarget, WrappedTargetRequest
from pants.engine.unions import UnionRule
from pants.option.option_types import StrOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from swift_client.sources import (
    SwiftClientFieldSet,
    SwiftClientSources,
    SwiftClientSourcesRequest,
)
from swift_client.targets import CheckersField, SwiftClientSourcesField, VersionField

WRITER = Path(__file__).with_name("write_archive.py")
CHECKER = "clients.ios.checking.check"
PACKAGE = "package"
PACKED = "packed"


class SwiftParser(Subsystem):
    """Settings of the section `[swift-parser]` in pants.toml."""

    options_scope = "swift-parser"
    help = "What parses Swift: tree-sitter with its grammar of Swift."

    install_from_resolve = StrOption(default="swift", help="The resolve that holds the parser.")


@dataclass(frozen=True)
class SwiftParserTool:
    """A Python that has the parser."""

    pex: VenvPex


class CheckSwiftClientRequest(CheckRequest):
    """Asks for checks of all Swift packages among the targets of a `check`."""

    field_set_type = SwiftClientFieldSet
    tool_name = "swift-parser"


@dataclass(frozen=True)
class CheckedTarget:
    """A package to be checked."""

    target: Target


@dataclass(frozen=True)
class PackageSwiftClientFieldSet(PackageFieldSet):
    """A target that `package` packs."""

    required_fields = (SwiftClientSourcesField, VersionField)

    version: VersionField


@rule
async def install_parser(parser: SwiftParser, python_setup: PythonSetup) -> SwiftParserTool:
    """Install the parser from its lock."""
    pex = await Get(
        VenvPex,
        PexRequest(
            output_filename="swift_parser.pex",
            internal_only=True,
            requirements=PexRequirements(
                from_superset=Resolve(parser.install_from_resolve, use_entire_lockfile=True)
            ),
            interpreter_constraints=InterpreterConstraints(python_setup.interpreter_constraints),
        ),
    )
    return SwiftParserTool(pex)


@rule(desc="Check a Swift package", level=LogLevel.DEBUG)
async def check_swift_client(checked: CheckedTarget, tool: SwiftParserTool) -> CheckResult:
    """Parse what is written and generated, and look for names that nothing has."""
    target = checked.target
    sources, checkers = await MultiGet(
        Get(SwiftClientSources, SwiftClientSourcesRequest(target)),
        Get(Targets, UnparsedAddressInputs, target[CheckersField].to_unparsed_address_inputs()),
    )
    package, checker = await MultiGet(
        Get(Digest, AddPrefix(sources.digest, PACKAGE)),
        Get(
            SourceFiles,
            SourceFilesRequest(
                (each[SourcesField] for each in checkers if each.has_field(SourcesField)),
                for_sources_types=(PythonSourceField,),
            ),
        ),
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=("-m", CHECKER, PACKAGE),
            input_digest=await Get(Digest, MergeDigests((package, checker.snapshot.digest))),
            description=f"Check {target.address}",
            level=LogLevel.DEBUG,
        ),
    )
    return CheckResult.from_fallible_process_result(result)


@rule(desc="Check Swift packages", level=LogLevel.DEBUG)
async def check_swift_clients(request: CheckSwiftClientRequest) -> CheckResults:
    """Check each package."""
    wrapped = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest(each.address, description_of_origin="check"))
        for each in request.field_sets
    )
    results = await MultiGet(Get(CheckResult, CheckedTarget(each.target)) for each in wrapped)
    return CheckResults(results, checker_name=request.tool_name)


@rule(desc="Pack a Swift package", level=LogLevel.DEBUG)
async def package_swift_client(
    field_set: PackageSwiftClientFieldSet, tool: SwiftParserTool
) -> BuiltPackage:
    """Write an archive that SwiftPM takes."""
    wrapped = await Get(
        WrappedTarget, WrappedTargetRequest(field_set.address, description_of_origin="package")
    )
    sources = await Get(SwiftClientSources, SwiftClientSourcesRequest(wrapped.target))
    package, script = await MultiGet(
        Get(Digest, AddPrefix(sources.digest, PACKAGE)),
        Get(
            Digest,
            CreateDigest([Directory(PACKED), FileContent(WRITER.name, WRITER.read_bytes())]),
        ),
    )
    result = await Get(
        ProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=(WRITER.name, PACKAGE, PACKED, str(field_set.version.value)),
            input_digest=await Get(Digest, MergeDigests((package, script))),
            output_directories=(PACKED,),
            description=f"Pack {field_set.address}",
            level=LogLevel.DEBUG,
        ),
    )
    packed = await Get(Digest, RemovePrefix(result.output_digest, PACKED))
    snapshot = await Get(Snapshot, AddPrefix(packed, field_set.address.spec_path))
    return BuiltPackage(
        snapshot.digest, tuple(BuiltPackageArtifact(relpath=file) for file in snapshot.files)
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(CheckRequest, CheckSwiftClientRequest),
        UnionRule(PackageFieldSet, PackageSwiftClientFieldSet),
    )
