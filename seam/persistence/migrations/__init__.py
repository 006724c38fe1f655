"""Migrations of a service's tables: revisions, and what runs them. See docs/migrations.md."""

from typing import Final

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import VARCHAR

from seam.persistence.migrations.opening import open_migrated
from seam.persistence.migrations.revisions import MigrationError, Migrations

__all__ = ["BY_CODE_POINT", "MigrationError", "Migrations", "open_migrated"]

BY_CODE_POINT: Final = String().with_variant(VARCHAR(collation="C"), "postgresql")
"""In a revision, the type of what is `Text(…, by_code_point=True)` in a table."""
