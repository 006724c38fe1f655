"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from seam.persistence.migrations import BY_CODE_POINT

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "account",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("email_key"),
    )
    op.create_table(
        "attempt",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("attempts_by_last", "attempt", ["last"], unique=False)
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
        "signing_key",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("private", sa.String(), nullable=False),
        sa.Column("signs_from", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_table(
        "stream_cursor",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "partition"),
    )
    op.create_table(
        "account_role",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("role", BY_CODE_POINT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["account.user_id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "role"),
    )
    op.create_table(
        "session",
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("refreshed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["account.user_id"],
        ),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("sessions_by_refreshed_at", "session", ["refreshed_at"], unique=False)
    op.create_index("sessions_of_account", "session", ["user_id"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.session_id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("refresh_tokens_of_session", "refresh_token", ["session_id"], unique=False)


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_index("refresh_tokens_of_session", table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_index("sessions_of_account", table_name="session")
    op.drop_index("sessions_by_refreshed_at", table_name="session")
    op.drop_table("session")
    op.drop_table("account_role")
    op.drop_table("stream_cursor")
    op.drop_table("signing_key")
    op.drop_index("parked_event_next_attempt", table_name="parked_event")
    op.drop_index("parked_event_key", table_name="parked_event")
    op.drop_index("parked_event_id", table_name="parked_event")
    op.drop_table("parked_event")
    op.drop_index("outbox_delivered", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index("inbox_received", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("event_lease")
    op.drop_index("attempts_by_last", table_name="attempt")
    op.drop_table("attempt")
    op.drop_table("account")
