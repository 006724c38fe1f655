"""`INSERT … ON CONFLICT`, which SQLAlchemy spells by dialect."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel


def upsert(session: AsyncSession, table: type[SQLModel]) -> sqlite.Insert | postgresql.Insert:
    """An insert into `table` that offers `on_conflict_do_update` and `on_conflict_do_nothing`.

    Args:
        session: the session that will run it, which tells the dialect.
        table: the table to insert into.
    """
    dialect: Any = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    insert: sqlite.Insert | postgresql.Insert = dialect.insert(table)
    return insert
