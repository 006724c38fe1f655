"""Where to write to about an order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go from 0002 to 0003."""
    with op.batch_alter_table("placed_order") as batch_op:
        batch_op.add_column(
            sa.Column("email", sa.String(), server_default=sa.text("''"), nullable=False)
        )


def downgrade() -> None:
    """Go from 0003 to 0002."""
    with op.batch_alter_table("placed_order") as batch_op:
        batch_op.drop_column("email")
