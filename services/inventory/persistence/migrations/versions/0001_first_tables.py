"""First tables: the catalogue, and stock that somebody holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from seam.persistence.migrations import BY_CODE_POINT

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "item",
        sa.Column("sku", BY_CODE_POINT, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("category", sa.Integer(), nullable=False),
        sa.Column("currency_code", sa.String(), nullable=False),
        sa.Column("price_minor_units", sa.BigInteger(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sku"),
        sa.CheckConstraint("stock >= 0", name="stock_is_not_negative"),
    )
    op.create_table(
        "reservation",
        sa.Column("reservation_id", sa.String(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("reservation_id"),
    )
    op.create_table(
        "reservation_line",
        sa.Column("reservation_id", sa.String(), nullable=False),
        sa.Column("sku", BY_CODE_POINT, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reservation_id", "sku"),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservation.reservation_id"]),
    )


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_table("reservation_line")
    op.drop_table("reservation")
    op.drop_table("item")
