"""Checks clients in Kotlin and packs them: `./pants check` and `./pants package`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.backend.python.util_rules.pex import VenvPexProcess
from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.core.goals.package import BuiltPackage, BuiltPackageArtifact, PackageFieldSet
from pants.engine.addresses import Address
from pants.engine.fs import (
    AddPrefix,
    CreateDigest,
    Digest,
    DigestEntries,
    Directory,
    FileEntry,
    MergeDigests,
    RemovePrefix,
    Snapshot,
)
from pants.engine.process import FallibleProcessResult, ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet, Target, WrappedTarget, WrappedTargetRequest
from pants.engine.unions import UnionRule
from pants.util.logging import LogLevel

from kotlin_client.compiler import DRIVER, CompileClientRequest, CompiledClient, JvmTool
from kotlin_client.programs import CompiledPrograms, CompileProgramsRequest
from kotlin_client.sources import KotlinClientFieldSet
from kotlin_client.targets import KotlinClientSourcesField, KotlinProgramsSourcesField

PACKED = "packed"


class KotlinError(Exception):
    """Says what the compiler refused."""


@dataclass(frozen=True)
class KotlinProgramsFieldSet(FieldSet):
    """Programs that use a client."""

    required_fields = (KotlinProgramsSourcesField,)

    sources: KotlinProgramsSourcesField


class CheckKotlinClientRequest(CheckRequest):
    """Asks for checks of all clients among the targets of a `check`."""

    field_set_type = KotlinClientFieldSet
    tool_name = "kotlinc"


class CheckKotlinProgramsRequest(CheckRequest):
    """Asks for checks of all programs among the targets of a `check`."""

    field_set_type = KotlinProgramsFieldSet
    tool_name = "kotlinc-programs"


@dataclass(frozen=True)
class PackageKotlinClientFieldSet(PackageFieldSet):
    """A client that `package` packs."""

    required_fields = (KotlinClientSourcesField,)

    sources: KotlinClientSourcesField


@dataclass(frozen=True)
class PackageKotlinProgramsFieldSet(PackageFieldSet):
    """Programs that `package` packs."""

    required_fields = (KotlinProgramsSourcesField,)

    sources: KotlinProgramsSourcesField


@rule(desc="Check clients with kotlinc", level=LogLevel.DEBUG)
async def check_clients(request: CheckKotlinClientRequest) -> CheckResults:
    """Compile what is written and generated."""
    targets = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest, _asked(each.address))
        for each in request.field_sets
    )
    found = await MultiGet(
        Get(CompiledClient, CompileClientRequest(each.target)) for each in targets
    )
    return _results(request, (each.jar.process for each in found))


@rule(desc="Check programs with kotlinc", level=LogLevel.DEBUG)
async def check_programs(request: CheckKotlinProgramsRequest) -> CheckResults:
    """Compile what uses a client; what is wrong in the client itself is said there."""
    targets = await MultiGet(
        Get(WrappedTarget, WrappedTargetRequest, _asked(each.address))
        for each in request.field_sets
    )
    found = await MultiGet(
        Get(CompiledPrograms, CompileProgramsRequest(each.target)) for each in targets
    )
    return _results(request, (jar.process for each in found for jar in each.jars))


def _asked(address: Address) -> WrappedTargetRequest:
    return WrappedTargetRequest(address, description_of_origin="check or package")


def _results(request: CheckRequest, processes: Iterable[FallibleProcessResult]) -> CheckResults:
    results = [CheckResult.from_fallible_process_result(each) for each in processes]
    return CheckResults(results, checker_name=request.tool_name)


@rule(desc="Pack a client in Kotlin", level=LogLevel.DEBUG)
async def package_client(field_set: PackageKotlinClientFieldSet, jvm: JvmTool) -> BuiltPackage:
    """Pack a Gradle module, a jar of its sources, and the jar that the compiler has written."""
    target = (await Get(WrappedTarget, WrappedTargetRequest, _asked(field_set.address))).target
    client = await Get(CompiledClient, CompileClientRequest(target))
    _refuse_failure(target, client.jar.process)
    folder, output = await MultiGet(
        Get(Digest, AddPrefix(client.sources, client.name)),
        Get(Digest, CreateDigest([Directory(PACKED)])),
    )
    inputs = await Get(Digest, MergeDigests((folder, output, client.jar.digest, jvm.driver)))
    result = await Get(
        ProcessResult,
        VenvPexProcess(
            jvm.pex,
            argv=(DRIVER.name, "pack", client.name, PACKED),
            input_digest=inputs,
            output_directories=(PACKED,),
            description=f"Pack {target.address}",
            level=LogLevel.DEBUG,
        ),
    )
    packed = await Get(Digest, RemovePrefix(result.output_digest, PACKED))
    return _built(await Get(Snapshot, AddPrefix(packed, target.address.spec_path)))


@rule(desc="Pack programs in Kotlin", level=LogLevel.DEBUG)
async def package_programs(field_set: PackageKotlinProgramsFieldSet) -> BuiltPackage:
    """Lay jars beside those that they need, the client's apart: `java -cp 'FOLDER/*'`."""
    target = (await Get(WrappedTarget, WrappedTargetRequest, _asked(field_set.address))).target
    programs = await Get(CompiledPrograms, CompileProgramsRequest(target))
    for jar in (programs.client.jar, *programs.jars):
        _refuse_failure(target, jar.process)
    entries = await Get(DigestEntries, Digest, programs.client.tool.libraries)
    libraries = await Get(
        Digest,
        CreateDigest(
            FileEntry(each.path.rpartition("/")[2], each.file_digest)
            for each in entries
            if isinstance(each, FileEntry)
        ),
    )
    jars = await Get(Digest, MergeDigests((libraries, *(each.digest for each in programs.jars))))
    folder = f"{target.address.spec_path}/{target.address.target_name}"
    return _built(await Get(Snapshot, AddPrefix(jars, folder)))


def _built(snapshot: Snapshot) -> BuiltPackage:
    artifacts = tuple(BuiltPackageArtifact(relpath=file) for file in snapshot.files)
    return BuiltPackage(snapshot.digest, artifacts)


def _refuse_failure(target: Target, process: FallibleProcessResult) -> None:
    if process.exit_code != 0:
        words = (process.stderr + process.stdout).decode(errors="replace").strip()
        raise KotlinError(f"{target.address} cannot be packed:\n\n{words}\n")


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(CheckRequest, CheckKotlinClientRequest),
        UnionRule(CheckRequest, CheckKotlinProgramsRequest),
        UnionRule(PackageFieldSet, PackageKotlinClientFieldSet),
        UnionRule(PackageFieldSet, PackageKotlinProgramsFieldSet),
    )
