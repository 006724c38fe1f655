"""First tables: carts, and what is in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "cart",
        sa.Column("cart_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("cart_id"),
    )
    op.create_table(
        "cart_item",
        sa.Column("cart_id", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("cart_id", "sku"),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.cart_id"]),
        sa.CheckConstraint("quantity > 0", name="quantity_is_positive"),
    )


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_table("cart_item")
    op.drop_table("cart")
