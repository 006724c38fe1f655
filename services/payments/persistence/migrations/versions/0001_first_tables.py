"""First tables: payments, from before the provider is asked for the money."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "payment",
        sa.Column("payment_id", sa.String(), nullable=False),
        sa.Column("currency_code", sa.String(), nullable=True),
        sa.Column("minor_units", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("decline_reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("payment_id"),
    )


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_table("payment")
