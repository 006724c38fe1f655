"""Lints contracts with buf, by the rules of protos/buf.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pants.backend.codegen.protobuf.target_types import ProtobufSourceField
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_requirements import PexRequirements, Resolve
from pants.core.goals.lint import LintResult, LintTargetsRequest
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.core.util_rules.partitions import PartitionerType
from pants.engine.fs import AddPrefix, CreateDigest, Digest, FileContent, MergeDigests
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import FieldSet
from pants.option.option_types import SkipOption, StrOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

from contracts.protoc import DRIVER, ContractFiles, ContractFilesRequest

LINTER = Path(__file__).with_name("sandbox_buf.py")


class Buf(Subsystem):
    """Settings of the section `[buf]` in pants.toml."""

    options_scope = "buf"
    name = "buf"
    help = "The linter of contracts."

    skip = SkipOption("lint")
    install_from_resolve = StrOption(default="buf", help="The resolve that holds buf-bin.")
    config = StrOption(default="protos/buf.yaml", help="The file that says what it looks for.")


@dataclass(frozen=True)
class BufFieldSet(FieldSet):
    """A target that is a contract."""

    required_fields = (ProtobufSourceField,)

    sources: ProtobufSourceField


class BufRequest(LintTargetsRequest):
    """Asks what is wrong with contracts."""

    field_set_type = BufFieldSet
    tool_subsystem = Buf
    partitioner_type = PartitionerType.DEFAULT_SINGLE_PARTITION


@rule(desc="Lint contracts with buf", level=LogLevel.DEBUG)
async def lint_contracts(
    request: BufRequest.Batch, buf: Buf, python_setup: PythonSetup
) -> LintResult:
    """Lint contracts together, since some rules hold for all files of a package."""
    contracts = await MultiGet(
        Get(ContractFiles, ContractFilesRequest(each.address)) for each in request.elements
    )
    together = await Get(Digest, MergeDigests(each.digest for each in contracts))
    tool, config, protos, drivers = await MultiGet(
        Get(
            VenvPex,
            PexRequest(
                output_filename="buf.pex",
                internal_only=True,
                requirements=PexRequirements(
                    from_superset=Resolve(buf.install_from_resolve, use_entire_lockfile=True)
                ),
                interpreter_constraints=InterpreterConstraints(
                    python_setup.interpreter_constraints
                ),
            ),
        ),
        Get(ConfigFiles, ConfigFilesRequest(specified=buf.config, specified_option_name="config")),
        Get(Digest, AddPrefix(together, "protos")),
        Get(
            Digest,
            CreateDigest([FileContent(each.name, each.read_bytes()) for each in (DRIVER, LINTER)]),
        ),
    )
    names = sorted(each.proto for each in contracts)
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool,
            argv=(LINTER.name, *names),
            input_digest=await Get(Digest, MergeDigests((config.snapshot.digest, protos, drivers))),
            description=f"Run buf lint on {pluralize(len(names), 'contract')}.",
            level=LogLevel.DEBUG,
        ),
    )
    return LintResult.create(request, result)


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (*collect_rules(), *BufRequest.rules())
