"""Compiles the programs that use a client: tests with what is generated for them, and examples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestContents,
    DigestSubset,
    FileContent,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import DependenciesRequest, SourcesField, Target, Targets
from pants.util.logging import LogLevel

from kotlin_client.compiler import (
    CompileClientRequest,
    CompiledClient,
    CompiledJar,
    CompileRequest,
)
from kotlin_client.targets import (
    KotlinClientSourcesField,
    KotlinProgramsDependencies,
    KotlinProgramsSourcesField,
)

TESTS = "src/test/kotlin"
EXAMPLES = "example"
GENERATED = "golden_kotlin/"
GOLDEN = ".kt.golden"


class KotlinClientMissingError(Exception):
    """Says that programs name no client, or more than one."""


@dataclass(frozen=True)
class CompileProgramsRequest:
    """Asks for the jars of programs."""

    target: Target


@dataclass(frozen=True)
class CompiledPrograms:
    """The jar of the client, and those of what uses it."""

    client: CompiledClient
    jars: tuple[CompiledJar, ...]


@rule(desc="Compile programs that use a client", level=LogLevel.DEBUG)
async def compile_programs(request: CompileProgramsRequest) -> CompiledPrograms:
    """Compile tests as friends of the client, and examples as strangers."""
    target = request.target
    dependencies = await Get(Targets, DependenciesRequest(target[KotlinProgramsDependencies]))
    clients = [each for each in dependencies if each.has_field(KotlinClientSourcesField)]
    if len(clients) != 1:
        raise KotlinClientMissingError(
            f"{target.address}: expected one `kotlin_client` in `dependencies`, got {len(clients)}"
        )
    others = [each for each in dependencies if each.has_field(SourcesField) and each not in clients]
    client, written, made = await MultiGet(
        Get(CompiledClient, CompileClientRequest(clients[0])),
        Get(SourceFiles, SourceFilesRequest([target[KotlinProgramsSourcesField]])),
        Get(SourceFiles, SourceFilesRequest(each[SourcesField] for each in others)),
    )
    golden, by_hand = await MultiGet(
        Get(
            DigestContents,
            Digest,
            await Get(
                Digest,
                DigestSubset(made.snapshot.digest, PathGlobs([f"**/{GENERATED}**/*{GOLDEN}"])),
            ),
        ),
        Get(Digest, RemovePrefix(written.snapshot.digest, target.address.spec_path)),
    )
    generated = await Get(
        Digest,
        CreateDigest(
            FileContent(f"generated/{path[: -len(GOLDEN)]}.kt", each.content)
            for each in golden
            for path in [each.path.rpartition(GENERATED)[2]]
        ),
    )
    inputs = await Get(Digest, MergeDigests((client.jar.digest, by_hand, generated)))
    jar = f"{client.name}.jar"
    jars = await MultiGet(
        Get(
            CompiledJar,
            CompileRequest(client.tool, inputs, (TESTS, "generated"), "tests", friend=jar),
        ),
        Get(CompiledJar, CompileRequest(client.tool, inputs, (EXAMPLES,), "examples", uses=jar)),
    )
    return CompiledPrograms(client, jars)


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return collect_rules()
