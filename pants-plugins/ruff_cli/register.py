"""Formats and lints Python with a current Ruff.

Pants 2.17 has a Ruff backend of its own, which calls the command line that Ruff had in 2023.
Formatting is two steps, `ruff check --select I` for the order of imports and `ruff format`;
linting is `ruff check`. What Ruff is to complain of is said in pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import EntryPoint, PythonSourceField
from pants.backend.python.util_rules import pex
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.goals.fmt import AbstractFmtRequest, FmtResult, FmtTargetsRequest
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.fs import Digest, MergeDigests
from pants.engine.process import FallibleProcessResult, ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet
from pants.option.option_types import SkipOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize


class Ruff(Subsystem):
    """Settings of the section `[ruff]` in pants.toml."""

    options_scope = "ruff"
    name = "ruff"
    help = "The Ruff formatter and linter, by its current command line."

    skip = SkipOption("fmt", "lint")
    install_from_resolve = StrOption(default="ruff", help="The resolve that holds Ruff.")


@dataclass(frozen=True)
class RuffFieldSet(FieldSet):
    """Any Python file, stubs included."""

    required_fields = (PythonSourceField,)

    source: PythonSourceField


class RuffImportsRequest(FmtTargetsRequest):
    """Sorts imports; comes before formatting, because sorting leaves lines to lay out."""

    field_set_type = RuffFieldSet
    tool_subsystem = Ruff
    tool_name = "ruff check --select I"
    tool_id = "ruff-imports"
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


class RuffFormatRequest(FmtTargetsRequest):
    """Lays code out."""

    field_set_type = RuffFieldSet
    tool_subsystem = Ruff
    tool_name = "ruff format"
    tool_id = "ruff-format"
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


class RuffCheckRequest(LintTargetsRequest):
    """Complains."""

    field_set_type = RuffFieldSet
    tool_subsystem = Ruff
    tool_name = "ruff check"
    tool_id = "ruff-check"
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@dataclass(frozen=True)
class RuffTool:
    """Ruff, installed, and what it reads besides the sources."""

    pex: VenvPex
    config: Digest


@rule
async def install_ruff(ruff: Ruff, python_setup: PythonSetup) -> RuffTool:
    """Install Ruff from its lock and pick up its configuration."""
    installed, config = await MultiGet(
        Get(
            VenvPex,
            PexRequest(
                output_filename="ruff.pex",
                internal_only=True,
                requirements=PexRequirements(
                    from_superset=Resolve(ruff.install_from_resolve, use_entire_lockfile=True)
                ),
                interpreter_constraints=InterpreterConstraints(
                    python_setup.interpreter_constraints
                ),
                main=EntryPoint("ruff"),
            ),
        ),
        Get(
            ConfigFiles,
            ConfigFilesRequest(discovery=True, check_content={"pyproject.toml": b"[tool.ruff"}),
        ),
    )
    return RuffTool(installed, config.snapshot.digest)


async def _ruff_process(
    tool: RuffTool,
    arguments: Iterable[str],
    sources: Digest,
    files: tuple[str, ...],
    writes: bool = False,
) -> VenvPexProcess:
    return VenvPexProcess(
        tool.pex,
        argv=(*arguments, "--no-cache", *files),
        input_digest=await Get(Digest, MergeDigests((sources, tool.config))),
        output_files=files if writes else (),
        description=f"Run ruff {' '.join(arguments)} on {pluralize(len(files), 'file')}.",
        level=LogLevel.DEBUG,
    )


async def _ruff_rewrites(
    request: AbstractFmtRequest.Batch, tool: RuffTool, *arguments: str
) -> FmtResult:
    process = await _ruff_process(
        tool, arguments, request.snapshot.digest, request.files, writes=True
    )
    result = await Get(ProcessResult, VenvPexProcess, process)
    return await FmtResult.create(request, result)


@rule(desc="Sort imports with Ruff", level=LogLevel.DEBUG)
async def ruff_imports(request: RuffImportsRequest.Batch, tool: RuffTool) -> FmtResult:
    """Run the sorting of imports over one batch of files."""
    return await _ruff_rewrites(
        request, tool, "check", "--quiet", "--select", "I", "--fix-only", "--exit-zero"
    )


@rule(desc="Format with Ruff", level=LogLevel.DEBUG)
async def ruff_format(request: RuffFormatRequest.Batch, tool: RuffTool) -> FmtResult:
    """Run the formatter over one batch of files."""
    return await _ruff_rewrites(request, tool, "format", "--quiet")


@rule(desc="Lint with Ruff", level=LogLevel.DEBUG)
async def ruff_check(request: RuffCheckRequest.Batch, tool: RuffTool) -> LintResult:
    """Run the linter over one batch of files."""
    sources = await Get(SourceFiles, SourceFilesRequest(each.source for each in request.elements))
    process = await _ruff_process(
        tool, ("check", "--quiet"), sources.snapshot.digest, sources.snapshot.files
    )
    result = await Get(FallibleProcessResult, VenvPexProcess, process)
    return LintResult.create(request, result)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (
        *collect_rules(),
        *RuffImportsRequest.rules(),
        *RuffFormatRequest.rules(),
        *RuffCheckRequest.rules(),
        *pex.rules(),
    )
