"""Writes a revision of a service's tables: what leads from its last revision to its models.

For developers; no artifact holds it. What it writes is a draft: see docs/migrations.md.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    CreateIndexOp,
    DropIndexOp,
    MigrateOperation,
    ModifyTableOps,
)
from alembic.runtime.migration import MigrationContext
from cyclopts import App
from sqlalchemy import Dialect, NullPool, create_engine
from sqlalchemy.exc import SAWarning
from sqlalchemy.types import TypeDecorator, TypeEngine

from director.monolith import SERVICES
from seam.persistence import Text
from seam.persistence.compilation import DIALECTS
from seam.persistence.migrations import Migrations
from seam.persistence.migrations.connection import prepare_sqlite
from seam.persistence.migrations.schema import VERSION_TABLE, without_schema
from seam.persistence.migrations.steps import run_step

app = App(name="new_revision", version_flags=[])

_HEAD: Final = '''\
"""{words}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
{imports}
revision = "{number}"
down_revision = {before}


def upgrade() -> None:
    """Go from {start} to {number}."""
    {up}


def downgrade() -> None:
    """Go from {number} to {start}."""
    {down}
'''


@app.default
def new_revision(service: str, words: str, /, *, directory: Path = Path("services")) -> int:
    """Write the next revision of a service's tables, as a draft.

    Args:
        service: whose tables.
        words: what the revision does, in a few words; they become the file's name.
        directory: where the services are.
    """
    migrations = {each.name: each.migrations for each in SERVICES}.get(service)
    name = re.sub("[^a-z0-9]+", "_", words.lower()).strip("_")
    if migrations is None or not name:
        known = ", ".join(each.name for each in SERVICES if each.migrations is not None)
        print(f"expected one of {known}, and words of a-z and 0-9", file=sys.stderr)
        return 2
    number, text = draft(migrations, words)
    if number == migrations.last:
        print(f"the revisions of {service} lead to its tables already", file=sys.stderr)
        return 1
    file = directory / service / "persistence/migrations/versions" / f"{number}_{name}.py"
    file.write_text(text)
    print(file)
    return 0


def draft(migrations: Migrations, words: str) -> tuple[str, str]:
    """The number and the text of the next revision; those of the last if there is nothing to do.

    Args:
        migrations: the service's revisions and models.
        words: what the revision does.
    """
    before = migrations.last
    number = f"{int(before or 0) + 1:04}"
    engine = create_engine("sqlite://", poolclass=NullPool)
    prepare_sqlite(engine)
    options = {
        "version_table": VERSION_TABLE,
        "render_as_batch": True,
        "render_item": _render,
        "compare_server_default": True,
    }
    with engine.begin() as connection, warnings.catch_warnings():
        # Of what cannot be reflected, such as an index on an expression.
        for kind in (SAWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        if before is not None:
            for revision in migrations.revisions:
                run_step(connection, migrations, revision)
        context = MigrationContext.configure(connection, opts=options)
        script = produce_migrations(context, without_schema(migrations.tables))
        assert script.upgrade_ops is not None
        assert script.downgrade_ops is not None
        if script.upgrade_ops.is_empty() and before is not None:
            return before, ""
        for container in (script.upgrade_ops, script.downgrade_ops):
            container.ops = list(_without_batches(container.ops))
        up, down = (
            render_python_code(each, render_as_batch=True, render_item=_render)
            for each in (script.upgrade_ops, script.downgrade_ops)
        )
    code = up + down
    imports = "from sqlalchemy.dialects import postgresql\n" if "postgresql." in code else ""
    if "BY_CODE_POINT" in code:
        imports += "\nfrom seam.persistence.migrations import BY_CODE_POINT\n"
    return number, _HEAD.format(
        words=words[:1].upper() + words[1:],
        imports=imports,
        number=number,
        before="None" if before is None else f'"{before}"',
        start="nothing" if before is None else before,
        up=_body(up),
        down=_body(down),
    )


def _without_batches(operations: Sequence[MigrateOperation]) -> Iterator[MigrateOperation]:
    """Let indexes stand alone: they change no table."""
    for each in operations:
        inner = each.ops if isinstance(each, ModifyTableOps) else ()
        if inner and all(isinstance(one, CreateIndexOp | DropIndexOp) for one in inner):
            yield from inner
        else:
            yield each


def _render(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Name a column's type so that it stays what it is when the code changes."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    if isinstance(item, Text):
        return "BY_CODE_POINT" if item.by_code_point else "sa.String()"
    ours, theirs = (_of_database(item, DIALECTS[name]) for name in ("sqlite", "postgresql"))
    if repr(ours) == repr(theirs):
        return f"sa.{ours!r}"
    return f'sa.{ours!r}.with_variant(postgresql.{theirs!r}, "postgresql")'


def _of_database(item: TypeDecorator[Any], dialect: Dialect) -> TypeEngine[Any]:
    """The type of a database that stands behind one of ours."""
    found = item.dialect_impl(dialect)
    return found.impl_instance if isinstance(found, TypeDecorator) else found


def _body(code: str) -> str:
    lines = (line for line in code.splitlines() if not line.lstrip().startswith("# ###"))
    return "\n".join(lines).strip().replace(", schema=None) as batch_op", ") as batch_op")


if __name__ == "__main__":
    sys.exit(app())
