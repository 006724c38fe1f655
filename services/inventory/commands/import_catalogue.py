"""The inventory's commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from seam.contract import StatusError
from seam.runtime import Settings, database_location
from services.inventory.commands.catalogue_loading import OtherCurrencyError, load
from services.inventory.domain.catalogue_csv import Catalogue, read_catalogue
from services.inventory.domain.utf8 import decoded
from services.inventory.persistence.migrations import MIGRATIONS

if TYPE_CHECKING:
    from rich.progress import Progress

commands = App(name="inventory", help="Look after the catalogue.", version_flags=[])


@commands.command(name="import")
async def import_catalogue(
    file: Path,
    /,
    *,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Import a catalogue from a CSV file, and nothing of one that has a mistake.

    The first line names the columns sku, name, description, category, price, currency, stock.
    An item whose SKU is known takes the place of the old one; items that the file does not
    name stay as they are. May be run while the shop is serving: items are written 500 at a
    time. An import that is ended has written the first of them; run it again to complete it.

    Args:
        file: the CSV file, in UTF-8.
        settings: where the system's parts are.
    """
    try:
        catalogue = _read(file)
    except OSError as error:
        print(f"{file}: cannot be read: {error}", file=sys.stderr)
        return 1
    if catalogue.mistakes:
        for mistake in catalogue.mistakes:
            print(f"{file}: {mistake}", file=sys.stderr)
        if catalogue.further_mistakes:
            print(f"{file}: and {catalogue.further_mistakes} more mistakes", file=sys.stderr)
        print("nothing was imported", file=sys.stderr)
        return 1
    async with database_location(settings, "inventory").open(MIGRATIONS) as database:
        with _progress() as progress:
            task = progress.add_task("writing", total=len(catalogue.items))
            written = 0

            def tell(count: int) -> None:
                nonlocal written
                written += count
                progress.advance(task, count)

            try:
                await load(database, catalogue.items, tell)
            except OtherCurrencyError as error:
                print(f"{file}: {error}\n{_left(written, catalogue)}", file=sys.stderr)
                return 1
            except StatusError as error:
                print(f"{error.message}\n{_left(written, catalogue)}", file=sys.stderr)
                return 1
    print(f"imported {len(catalogue.items)} items")
    return 0


def _left(written: int, catalogue: Catalogue) -> str:
    """What an import that has failed leaves behind."""
    if not written:
        return "nothing was imported"
    return f"{written} of {len(catalogue.items)} items were imported; import the file again"


def _read(file: Path) -> Catalogue:
    """Read a file with a bar that follows the bytes."""
    with _progress() as progress, progress.open(file, "rb", description="reading") as raw:
        return read_catalogue(decoded(raw))


def _progress() -> Progress:
    # Only who runs the command waits for it to be imported.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
