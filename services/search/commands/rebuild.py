"""The commands of the search."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from cyclopts import App

from seam.contract import StatusError
from seam.persistence import Database
from seam.runtime import Settings, database_location
from services.search.persistence.documents import count_documents
from services.search.persistence.generations import ask_for_generation, make_state, read_state
from services.search.persistence.migrations import MIGRATIONS

if TYPE_CHECKING:
    from rich.progress import Progress

commands = App(name="search", help="Look after the search.", version_flags=[])

PATIENCE: Final = 30.0
"""Seconds that a running service has to begin."""

_LOOK: Final = 0.2

EXIT_FAILED: Final = 1


@commands.command
async def rebuild(
    *,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Build the index anew from the catalogue, while the one that is there serves.

    A running service does it; this command asks for it and shows how far it is. It may be ended:
    what was asked for is done all the same.

    Args:
        settings: where the system's parts are.
    """
    try:
        async with database_location(settings, "search").open(MIGRATIONS) as database:
            await make_state(database)
            return await _rebuild(database)
    except StatusError as error:
        print(error.message, file=sys.stderr)
        return EXIT_FAILED


async def _rebuild(database: Database) -> int:
    await ask_for_generation(database)
    asked = (await read_state(database)).wanted
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    with _progress() as progress:
        task = progress.add_task("waiting for a running search to begin", total=None, items=0)
        while (state := await read_state(database)).granted < asked:
            if loop.time() > end:
                print(
                    "no running search has begun; one begins as soon as it runs and is done with "
                    "what it does",
                    file=sys.stderr,
                )
                return EXIT_FAILED
            await asyncio.sleep(_LOOK)
        progress.update(task, description="reading the catalogue")
        while state.building is not None:
            progress.update(task, items=state.indexed)
            await asyncio.sleep(_LOOK)
            state = await read_state(database)
    count = 0 if state.live is None else await count_documents(database, state.live)
    print(f"{count} items can be found")
    return 0


def _progress() -> Progress:
    # Only who runs the command waits for it to be imported.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}"),
        TextColumn("{task.fields[items]} items"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
