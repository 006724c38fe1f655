"""A revision that was run must be undone without a trace, and without a loss."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection, MetaData

from seam.persistence.migrations.connection import run_in_transaction
from seam.persistence.migrations.revisions import BASE, MigrationError, Migrations
from seam.persistence.migrations.steps import run_step
from seam.testing.migrations.catalogue import Catalogue, catalogue_of
from seam.testing.migrations.expansion import obsolete_at
from seam.testing.migrations.samples import Row, insert_samples, reflected_tables, stored
from seam.testing.migrations.wrong import WrongMigrationError


def check_reversal(url: str, migrations: Migrations) -> None:
    """Check, revision by revision and with rows in the tables, that up, down and up again is clean.

    Args:
        url: an empty database.
        migrations: the service's revisions.

    Raises:
        WrongMigrationError: one leaves something behind, or loses something.
    """
    before = BASE
    for number, revision in enumerate(migrations.revisions, start=1):
        _check(url, migrations, revision, before, number)
        before = revision
    for revision in reversed(migrations.revisions):
        _run(url, migrations, revision, up=False)
    left = _catalogue(url, migrations)
    if left:
        raise WrongMigrationError(
            f"the way down to {BASE} leaves {', '.join(left)} of {migrations.service}"
        )


def _check(url: str, migrations: Migrations, revision: str, before: str, number: int) -> None:
    def fill(connection: Connection) -> tuple[MetaData, dict[str, Row]]:
        # What is obsolete may be dropped by now, and nothing brings it back.
        used = reflected_tables(connection, but=obsolete_at(migrations, before))
        return used, insert_samples(connection, reflected_tables(connection), number)

    below = _catalogue(url, migrations)
    tables, rows = run_in_transaction(url, migrations.service, fill)
    _run(url, migrations, revision, up=True)
    above = _catalogue(url, migrations)
    _run(url, migrations, revision, up=False)
    _compare(f"undoing {revision} of {migrations.service}", below, _catalogue(url, migrations))

    def find_lost(connection: Connection) -> str | None:
        for name, table in tables.tables.items():
            row = {key: rows[name][key] for key in rows[name] if key in table.columns}
            if not stored(connection, table, row):
                return name
        return None

    lost = run_in_transaction(url, migrations.service, find_lost)
    if lost is not None:
        raise WrongMigrationError(
            f"the way up and down over {revision} of {migrations.service} changes rows of {lost}"
        )
    _run(url, migrations, revision, up=True)
    again = f"running {revision} of {migrations.service} again"
    _compare(again, above, _catalogue(url, migrations))


def _run(url: str, migrations: Migrations, revision: str, *, up: bool) -> None:
    def work(connection: Connection) -> None:
        run_step(connection, migrations, revision, up=up)

    try:
        run_in_transaction(url, migrations.service, work)
    except Exception as error:
        what = "cannot be run" if up else "cannot be undone"
        reason = str(error) if isinstance(error, MigrationError) else repr(error)
        raise WrongMigrationError(
            f"revision {revision} of {migrations.service} {what}: {reason.splitlines()[0]}"
        ) from error


def _catalogue(url: str, migrations: Migrations) -> Catalogue:
    work = partial(catalogue_of, schema=migrations.service)
    return run_in_transaction(url, migrations.service, work)


def _compare(what: str, expected: Catalogue, found: Catalogue) -> None:
    said = [f"leaves {name}" for name in found if name not in expected]
    said += [f"loses {name}" for name in expected if name not in found]
    said += [
        f"makes {name} {found[name]} of {words}"
        for name, words in expected.items()
        if name in found and found[name] != words
    ]
    if said:
        raise WrongMigrationError(f"{what} {'; '.join(said)}")
