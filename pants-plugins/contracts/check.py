"""Checks the types of generated code.

Pants' mypy backend checks the files that targets own. It lets mypy read generated code, so that
a wrong use of a record is found, but mypy takes that code for an installed library, of which it
reports nothing. Here generated code is what is checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonSourceField
from pants.backend.python.typecheck.mypy.rules import determine_python_files
from pants.backend.python.typecheck.mypy.subsystem import MyPy, MyPyConfigFile
from pants.backend.python.util_rules import pex_from_targets
from pants.backend.python.util_rules.interpreter_constraints import InterpreterConstraints
from pants.backend.python.util_rules.pex import Pex, PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_from_targets import RequirementsPexRequest
from pants.backend.python.util_rules.python_sources import (
    PythonSourceFiles,
    PythonSourceFilesRequest,
)
from pants.core.goals.check import CheckRequest, CheckResult, CheckResults
from pants.engine.fs import Digest, MergeDigests
from pants.engine.process import FallibleProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import (
    FieldSet,
    HydratedSources,
    HydrateSourcesRequest,
    TransitiveTargets,
    TransitiveTargetsRequest,
)
from pants.engine.unions import UnionRule
from pants.option.global_options import GlobalOptions
from pants.util.logging import LogLevel
from pants.util.strutil import pluralize

from contracts.targets import ContractSourcesField


@dataclass(frozen=True)
class GeneratedCodeFieldSet(FieldSet):
    """A target that stands for records or mocks."""

    required_fields = (ContractSourcesField,)

    sources: ContractSourcesField


class CheckGeneratedCodeRequest(CheckRequest):
    """Asks for a check of all generated code among the targets of a `check`."""

    field_set_type = GeneratedCodeFieldSet
    tool_name = "mypy of generated code"
    tool_id = "mypy-generated"


@rule(desc="Check the types of generated code", level=LogLevel.DEBUG)
async def check_generated_code(
    request: CheckGeneratedCodeRequest,
    mypy: MyPy,
    config: MyPyConfigFile,
    python_setup: PythonSetup,
    global_options: GlobalOptions,
) -> CheckResults:
    """Run mypy over everything generated, at once, since contracts import each other."""
    if mypy.skip:
        return CheckResults([], checker_name=request.tool_name)
    addresses = [field_set.address for field_set in request.field_sets]
    constraints = InterpreterConstraints(python_setup.interpreter_constraints)
    transitive, tool, requirements = await MultiGet(
        Get(TransitiveTargets, TransitiveTargetsRequest(addresses)),
        Get(VenvPex, PexRequest, mypy.to_pex_request(interpreter_constraints=constraints)),
        Get(
            Pex,
            RequirementsPexRequest(addresses, hardcoded_interpreter_constraints=constraints),
        ),
    )
    closure, libraries = await MultiGet(
        Get(PythonSourceFiles, PythonSourceFilesRequest(transitive.closure)),
        Get(
            VenvPex,
            PexRequest(
                output_filename="requirements_venv.pex",
                internal_only=True,
                pex_path=[requirements],
                interpreter_constraints=constraints,
            ),
        ),
    )
    generated = await MultiGet(
        Get(
            HydratedSources,
            HydrateSourcesRequest(
                field_set.sources, for_sources_types=(PythonSourceField,), enable_codegen=True
            ),
        )
        for field_set in request.field_sets
    )
    files = determine_python_files(
        sorted({file for each in generated for file in each.snapshot.files})
    )
    inputs = (closure.source_files.snapshot.digest, libraries.digest, config.digest)
    result = await Get(
        FallibleProcessResult,
        VenvPexProcess(
            tool,
            argv=(
                f"--python-executable={libraries.python.argv0}",
                # Pants remembers the result; what mypy would remember is of no use in a sandbox.
                "--no-incremental",
                # What is not ours to mend, or is checked where it was written.
                "--follow-imports=silent",
                *mypy.args,
                *files,
            ),
            input_digest=await Get(Digest, MergeDigests(inputs)),
            extra_env={"MYPYPATH": ":".join(closure.source_roots)},
            description=f"Run mypy on {pluralize(len(files), 'generated file')}.",
            level=LogLevel.DEBUG,
        ),
    )
    return CheckResults(
        [
            CheckResult.from_fallible_process_result(
                result, strip_formatting=not global_options.colors
            )
        ],
        checker_name=request.tool_name,
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        *pex_from_targets.rules(),
        UnionRule(CheckRequest, CheckGeneratedCodeRequest),
    )
