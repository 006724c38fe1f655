"""Teaches Pants the goal `docs`: the documentation of the repository, as a site.

The program that writes it runs in a sandbox like any other, so what did not change is not written
anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pants.backend.python.target_types import EntryPoint
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.backend.python.util_rules.pex_from_targets import PexFromTargetsRequest
from pants.core.target_types import FileSourceField
from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
from pants.engine.addresses import Addresses, UnparsedAddressInputs
from pants.engine.console import Console
from pants.engine.fs import AddPrefix, Digest, RemovePrefix, Workspace
from pants.engine.goal import Goal, GoalSubsystem
from pants.engine.process import ProcessResult
from pants.engine.rules import Get, MultiGet, collect_rules, goal_rule
from pants.engine.target import SourcesField, Targets
from pants.option.option_types import StrListOption, StrOption

WRITTEN = "site"


class DocsSubsystem(GoalSubsystem):
    """Settings of the goal, in the section `[docs]` of pants.toml."""

    name = "docs"
    help = "Write the documentation as a site, from contracts, code and pages."

    program = StrOption(default="docs/site", help="The target that holds the program.")
    entry_point = StrOption(default="docs.site.main", help="The program's module.")
    sources = StrListOption(
        default=["//:callers", "//:pages", "//protos:contracts"],
        help="Targets of the files that it reads.",
    )
    output = StrOption(
        default="dist/docs", help="The folder that it goes to, as seen from the root."
    )


class Docs(Goal):
    """Writes the documentation."""

    subsystem_cls = DocsSubsystem
    environment_behavior = Goal.EnvironmentBehavior.LOCAL_ONLY


@goal_rule
async def write_documentation(
    settings: DocsSubsystem, console: Console, workspace: Workspace
) -> Docs:
    """Run the program, and put what it has written where it belongs."""
    programs, read = await MultiGet(
        Get(
            Addresses,
            UnparsedAddressInputs(
                [settings.program], owning_address=None, description_of_origin="[docs].program"
            ),
        ),
        Get(
            Targets,
            UnparsedAddressInputs(
                settings.sources, owning_address=None, description_of_origin="[docs].sources"
            ),
        ),
    )
    request, files = await MultiGet(
        Get(
            PexRequest,
            PexFromTargetsRequest(
                programs,
                output_filename="docs.pex",
                internal_only=True,
                main=EntryPoint(settings.entry_point),
            ),
        ),
        Get(
            SourceFiles,
            SourceFilesRequest(
                (each[SourcesField] for each in read),
                for_sources_types=(FileSourceField,),
                enable_codegen=True,
            ),
        ),
    )
    pex = await Get(VenvPex, PexRequest, request)
    result = await Get(
        ProcessResult,
        VenvPexProcess(
            pex,
            argv=("--output", WRITTEN),
            input_digest=files.snapshot.digest,
            output_directories=(WRITTEN,),
            description="Write the documentation.",
        ),
    )
    site = await Get(Digest, RemovePrefix(result.output_digest, WRITTEN))
    workspace.write_digest(
        await Get(Digest, AddPrefix(site, settings.output)), clear_paths=[settings.output]
    )
    console.print_stdout(f"Open {PurePath(settings.output, 'index.html')}")
    return Docs(exit_code=0)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return collect_rules()
