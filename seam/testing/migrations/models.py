"""What revisions lead to must be what the service's code expects."""

from __future__ import annotations

import warnings
from functools import partial

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Index, NullPool, create_engine
from sqlalchemy.exc import SAWarning
from sqlalchemy.schema import DropSchema

from seam.persistence.database import database_url
from seam.persistence.migrations.connection import prepare_sqlite, run_in_transaction
from seam.persistence.migrations.revisions import Migrations
from seam.persistence.migrations.schema import VERSION_TABLE, without_schema
from seam.persistence.migrations.steps import upgrade
from seam.persistence.tables import prepare_tables
from seam.testing.migrations.catalogue import Catalogue, catalogue_of
from seam.testing.migrations.chain import module_of, names_in
from seam.testing.migrations.wrong import WrongMigrationError


def check_models(url: str, migrations: Migrations) -> None:
    """Check that the tables that revisions make are those of the service's code.

    What a revision calls obsolete may still be in the database, and no longer in the code.

    Args:
        url: an empty database.
        migrations: the service's revisions and tables.

    Raises:
        WrongMigrationError: they are not the same.
    """
    upgrade(url, migrations)
    obsolete = _obsolete(migrations)
    work = partial(_look, migrations)
    by_revisions, differences = run_in_transaction(url, migrations.service, work)
    by_models = _made_of_models(url, migrations)
    said = [
        *(
            f"{name} is obsolete, and the models have it still"
            for name in sorted(obsolete)
            if f"column {name}" in by_models or f"table {name}" in by_models
        ),
        *_unknown(by_revisions, by_models, obsolete),
        *(f"{name} is missing" for name in by_models if name not in by_revisions),
        *(
            f"{name} is {by_revisions[name]}; expected {words}"
            for name, words in by_models.items()
            if name in by_revisions and by_revisions[name] != words
        ),
    ]
    said = said or differences
    if said:
        raise WrongMigrationError(
            f"the revisions of {migrations.service} do not lead to its tables: {'; '.join(said)}. "
            "Add a revision: ./pants run director/new_revision.py"
        )


def _look(migrations: Migrations, connection: Connection) -> tuple[Catalogue, list[str]]:
    def include(*of: object) -> bool:
        item, _, kind, reflected, counterpart = of
        # What an index on an expression is, the catalogue tells, and Alembic cannot compare.
        if isinstance(item, Index) and not all(isinstance(e, Column) for e in item.expressions):
            return False
        # What is there and not in the models is found in the catalogue, with what is obsolete.
        return not (reflected and counterpart is None and kind in {"table", "column"})

    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_object": include,
        "version_table": VERSION_TABLE,
    }
    context = MigrationContext.configure(connection, opts=options)
    with warnings.catch_warnings():
        for kind in (SAWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        differences = compare_metadata(context, without_schema(migrations.tables))
    return catalogue_of(connection, migrations.service), [str(each) for each in differences]


def _made_of_models(url: str, migrations: Migrations) -> Catalogue:
    """What the service's code expects, made in a database of the same kind."""

    def make(connection: Connection) -> Catalogue:
        prepare_tables(connection, migrations.tables)
        return catalogue_of(connection, migrations.service)

    def make_anew(connection: Connection) -> Catalogue:
        connection.execute(DropSchema(migrations.service, cascade=True))
        return make(connection)

    if database_url(url).get_backend_name() == "postgresql":
        return run_in_transaction(url, migrations.service, make_anew)
    engine = create_engine("sqlite://", poolclass=NullPool)
    prepare_sqlite(engine)
    translated = engine.execution_options(schema_translate_map={migrations.service: None})
    with translated.begin() as connection:
        return make(connection)


def _unknown(by_revisions: Catalogue, by_models: Catalogue, obsolete: set[str]) -> list[str]:
    """What only revisions know of, unless it is obsolete."""
    said: list[str] = []
    for name, words in by_revisions.items():
        kind, _, what = name.partition(" ")
        if name in by_models or what.partition(".")[0] in obsolete:
            continue
        if kind == "column" and what in obsolete:
            if " NOT NULL" in words and " DEFAULT " not in words:
                said.append(f"{name} is obsolete, and inserts would still have to name it")
            continue
        said.append(f"{name} ({words}) is not in the models")
    return said


def _obsolete(migrations: Migrations) -> set[str]:
    return {
        name
        for revision in migrations.revisions
        for name in names_in(module_of(migrations, revision), "obsolete")
    }
