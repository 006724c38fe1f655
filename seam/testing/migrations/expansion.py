"""The code of the version before must run on the tables of the version after.

A revision may add what old code need not know. It takes away nothing that old code may use, and
asks nothing of it that it does not do. Two lists in a revision say what cannot be seen in tables:

    obsolete = ("item.colour",)    # code does not use it from here on: a later revision may drop it
    honoured = ("item.has_name",)  # code from before keeps to this constraint already

What is obsolete cannot be in the models any longer (see `check_models`), so that a revision which
drops it comes after a version that has done without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.exc import DBAPIError

from seam.persistence.migrations.connection import run_in_transaction
from seam.persistence.migrations.revisions import BASE, Migrations
from seam.persistence.migrations.steps import run_step
from seam.testing.migrations.catalogue import catalogue_of
from seam.testing.migrations.chain import module_of, names_in
from seam.testing.migrations.samples import (
    Row,
    identity,
    insert_samples,
    reflected_tables,
    stored,
)
from seam.testing.migrations.wrong import WrongMigrationError

_WIDTHS: Final = ("SMALLINT", "INTEGER", "BIGINT")

_INDEX: Final = re.compile(
    r'CREATE UNIQUE INDEX \S+ ON (?:ONLY )?(?:\w+\.)?"?(?P<table>\w+)"? (.*)'
)


def check_expansion(url: str, migrations: Migrations) -> None:
    """Check, revision by revision, that code which is written for the one before still works.

    Args:
        url: an empty database.
        migrations: the service's revisions.

    Raises:
        WrongMigrationError: a revision breaks the version before; the text says how, and what to
            do instead.
    """
    before = BASE
    for number, revision in enumerate(migrations.revisions, start=1):
        step = _Step(migrations, revision, before, number)
        run_in_transaction(url, migrations.service, step.check)
        before = revision


def obsolete_at(migrations: Migrations, revision: str) -> frozenset[str]:
    """What code does not use that is written for a revision, though its tables have it."""
    return frozenset(
        name
        for each in migrations.revisions
        if revision != BASE and each <= revision
        for name in names_in(module_of(migrations, each), "obsolete")
    )


class _Step:
    """One revision, and the code that is written for the one before."""

    def __init__(self, migrations: Migrations, revision: str, before: str, number: int) -> None:
        self._migrations = migrations
        self._revision = revision
        self._obsolete = obsolete_at(migrations, before)
        self._number = number

    def check(self, connection: Connection) -> None:
        """Run the revision on tables with rows in them, and go on as the version before does."""
        old = reflected_tables(connection)
        used = reflected_tables(connection, but=self._obsolete)
        constraints = self._constraints(connection)
        rows = insert_samples(connection, old, 2 * self._number)
        try:
            run_step(connection, self._migrations, self._revision)
        except Exception as error:
            raise self._wrong(f"cannot be run on tables with rows: {_reason(error)}") from error
        new = reflected_tables(connection)
        for table in used.sorted_tables:
            before, after = old.tables[table.name], new.tables.get(table.name)
            for said in _breaks(connection, table, before, after):
                raise self._wrong(said)
        for name, words in self._constraints(connection).items():
            owner = used.tables.get(name.partition(".")[0])
            if owner is not None and constraints.get(name) != words:
                self._check_constraint(owner, name, words)
        self._go_on(connection, used, rows)

    def _check_constraint(self, table: Table, name: str, words: str) -> None:
        mentioned = set(re.findall(r"\w+", words.partition("REFERENCES")[0]))
        honoured = names_in(module_of(self._migrations, self._revision), "honoured")
        if name not in honoured and not mentioned.isdisjoint(table.columns.keys()):
            raise self._wrong(
                f"adds the constraint {name}, {words}, which the version before knows nothing of: "
                "add it one version after the code that keeps to it, with "
                f'honoured = ("{name}",)'
            )

    def _go_on(self, connection: Connection, used: MetaData, rows: dict[str, Row]) -> None:
        try:
            new = insert_samples(connection, used, 2 * self._number + 1)
        except WrongMigrationError as error:
            raise self._wrong(f"breaks the version before: {error}") from None
        for name, table in used.tables.items():
            for row in (rows[name], new[name]):
                known = {key: value for key, value in row.items() if key in table.columns}
                if not stored(connection, table, known):
                    raise self._wrong(f"changes rows of {name} under the version before: {known}")
                connection.execute(table.update().values(known).where(*identity(table, known)))

    def _constraints(self, connection: Connection) -> dict[str, str]:
        """What rows must keep to, by table and name."""
        found: dict[str, str] = {}
        for name, words in catalogue_of(connection, self._migrations.service).items():
            kind, _, what = name.partition(" ")
            unique = _INDEX.fullmatch(words) if kind == "index" else None
            if kind == "constraint":
                found[what] = words
            elif unique is not None:
                found[f"{unique['table']}.{what}"] = f"UNIQUE {unique[2]}"
        return found

    def _wrong(self, said: str) -> WrongMigrationError:
        return WrongMigrationError(
            f"revision {self._revision} of {self._migrations.service} {said}"
        )


def _breaks(
    connection: Connection, used: Table, before: Table, after: Table | None
) -> Iterator[str]:
    """What of a table has changed that old code may need."""
    if after is None:
        yield f"drops or renames the table {used.name}, {_in_use(used.name)}"
        return
    for old in used.columns:
        name = f"{used.name}.{old.name}"
        new = after.columns.get(old.name)
        if new is None:
            yield f"drops or renames the column {name}, {_in_use(name)}"
            continue
        was, is_now = (each.type.compile(connection.dialect) for each in (old, new))
        if not _is_wider(was, is_now):
            yield (
                f"makes {name} {is_now}, which was {was}: add a column of the new type, "
                "and let the version after use it"
            )
        if old.nullable and not new.nullable:
            yield f"makes {name} NOT NULL, and the version before may leave it out"
        elif old.server_default is not None and not _may_be_left_out(new):
            yield f"takes the default of {name} away, and the version before may leave it out"
    for new in after.columns:
        if new.name not in before.columns and not _may_be_left_out(new):
            yield (
                f"adds the column {used.name}.{new.name}, NOT NULL and without a default, which "
                "the version before does not fill: give it a server_default, or let it be NULL"
            )


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = str(cause).partition("\n")[0]
    if isinstance(error, DBAPIError) and re.search("not null|null values", reason, re.IGNORECASE):
        reason += "; give a new column that is NOT NULL a server_default"
    return reason


def _in_use(name: str) -> str:
    return (
        "which the version before may use: first release a version that does without, "
        f'with obsolete = ("{name}",) in a revision of its own'
    )


def _may_be_left_out(column: Column[Any]) -> bool:
    made = (column.server_default, column.identity, column.computed)
    return bool(column.nullable) or any(each is not None for each in made)


def _is_wider(old: str, new: str) -> bool:
    if old == new:
        return True
    if old in _WIDTHS and new in _WIDTHS:
        return _WIDTHS.index(old) <= _WIDTHS.index(new)
    sizes = [re.fullmatch(r"VARCHAR(?:\((\d+)\))?", each) for each in (old, new)]
    if sizes[0] is None or sizes[1] is None or sizes[0][1] is None:
        return False
    return sizes[1][1] is None or int(sizes[0][1]) <= int(sizes[1][1])
