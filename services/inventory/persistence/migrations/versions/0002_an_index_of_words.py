"""An index of words, which the service fills when it starts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from seam.persistence.migrations import BY_CODE_POINT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go from 0001 to 0002."""
    op.create_table(
        "search_text",
        sa.Column("sku", BY_CODE_POINT, nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sku"),
    )
    op.create_table(
        "search_word",
        sa.Column("word", BY_CODE_POINT, nullable=False),
        sa.Column("sku", BY_CODE_POINT, nullable=False),
        sa.PrimaryKeyConstraint("word", "sku"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go from 0002 to 0001."""
    op.drop_table("search_word")
    op.drop_table("search_text")
