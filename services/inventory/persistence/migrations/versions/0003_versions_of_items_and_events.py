"""Versions of items and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go from 0002 to 0003."""
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
        "stream_cursor",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "partition"),
    )
    with op.batch_alter_table("item") as batch_op:
        batch_op.add_column(
            sa.Column("version", sa.BigInteger(), server_default="1", nullable=False)
        )


def downgrade() -> None:
    """Go from 0003 to 0002."""
    with op.batch_alter_table("item") as batch_op:
        batch_op.drop_column("version")

    op.drop_table("stream_cursor")
    op.drop_index("parked_event_next_attempt", table_name="parked_event")
    op.drop_index("parked_event_key", table_name="parked_event")
    op.drop_index("parked_event_id", table_name="parked_event")
    op.drop_table("parked_event")
    op.drop_index("outbox_delivered", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("inbox_received", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("event_lease")
