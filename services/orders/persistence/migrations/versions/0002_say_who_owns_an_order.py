"""Say who owns an order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go from 0001 to 0002."""
    with op.batch_alter_table("placed_order") as batch_op:
        batch_op.add_column(
            sa.Column("owner", sa.String(), server_default=sa.text("''"), nullable=True)
        )
        batch_op.create_index("orders_of_owner", ["owner", "order_id"], unique=False)


def downgrade() -> None:
    """Go from 0002 to 0001."""
    with op.batch_alter_table("placed_order") as batch_op:
        batch_op.drop_index("orders_of_owner")
        batch_op.drop_column("owner")
