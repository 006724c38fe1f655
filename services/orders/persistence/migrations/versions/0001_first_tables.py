"""First tables: orders, their sagas and their events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from seam.persistence.migrations import BY_CODE_POINT

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "event_lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("inbox_received", "inbox", ["received"], unique=False)
    op.create_table(
        "outbox",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_delivered", "outbox", ["delivered", "position"], unique=False)
    op.create_table(
        "parked_event",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("dead", sa.Boolean(), nullable=False),
        sa.Column("next_attempt", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("parked_event_id", "parked_event", ["id"], unique=True)
    op.create_index("parked_event_key", "parked_event", ["owner", "key", "number"], unique=False)
    op.create_index("parked_event_next_attempt", "parked_event", ["next_attempt"], unique=False)
    op.create_table(
        "placed_order",
        sa.Column("order_id", BY_CODE_POINT, nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("cart_id", sa.String(), nullable=False),
        sa.Column("cart_revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("currency_code", sa.String(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("was_confirmed", sa.Boolean(), nullable=False),
        sa.Column("rejection", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    op.create_index(
        "cart_has_one_order_at_a_time",
        "placed_order",
        ["cart_id"],
        unique=True,
        sqlite_where=sa.text("state = 1"),
        postgresql_where=sa.text("state = 1"),
    )
    op.create_index(
        "cart_is_sold_once",
        "placed_order",
        ["cart_id", "cart_revision"],
        unique=True,
        sqlite_where=sa.text("state IN (1, 2, 4)"),
        postgresql_where=sa.text("state IN (1, 2, 4)"),
    )
    op.create_index("orders_of_cart", "placed_order", ["cart_id"], unique=False)
    op.create_table(
        "saga",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.String(), nullable=False),
        sa.Column("stop", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "saga_due",
        "saga",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('running', 'compensating')"),
        postgresql_where=sa.text("state IN ('running', 'compensating')"),
    )
    op.create_table(
        "saga_history",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("saga_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("saga_history_of_saga", "saga_history", ["saga_id", "position"], unique=False)
    op.create_table(
        "stream_cursor",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "partition"),
    )
    op.create_table(
        "order_line",
        sa.Column("order_id", BY_CODE_POINT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="quantity_is_positive"),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["placed_order.order_id"],
        ),
        sa.PrimaryKeyConstraint("order_id", "position"),
    )


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_table("order_line")
    op.drop_table("stream_cursor")
    op.drop_index("saga_history_of_saga", table_name="saga_history")
    op.drop_table("saga_history")
    op.drop_index(
        "saga_due",
        table_name="saga",
        sqlite_where=sa.text("state IN ('running', 'compensating')"),
        postgresql_where=sa.text("state IN ('running', 'compensating')"),
    )
    op.drop_table("saga")
    op.drop_index("orders_of_cart", table_name="placed_order")
    op.drop_index(
        "cart_is_sold_once",
        table_name="placed_order",
        sqlite_where=sa.text("state IN (1, 2, 4)"),
        postgresql_where=sa.text("state IN (1, 2, 4)"),
    )
    op.drop_index(
        "cart_has_one_order_at_a_time",
        table_name="placed_order",
        sqlite_where=sa.text("state = 1"),
        postgresql_where=sa.text("state = 1"),
    )
    op.drop_table("placed_order")
    op.drop_index("parked_event_next_attempt", table_name="parked_event")
    op.drop_index("parked_event_key", table_name="parked_event")
    op.drop_index("parked_event_id", table_name="parked_event")
    op.drop_table("parked_event")
    op.drop_index("outbox_delivered", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("inbox_received", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("event_lease")
