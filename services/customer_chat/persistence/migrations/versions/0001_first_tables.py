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
        "chat",
        sa.Column("chat_id", BY_CODE_POINT, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chat_id"),
    )
    op.create_index(
        "waiting_chats",
        "chat",
        ["chat_id"],
        unique=False,
        sqlite_where=sa.text("state = 1"),
        postgresql_where=sa.text("state = 1"),
    )
    op.create_table(
        "entry",
        sa.Column("chat_id", BY_CODE_POINT, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("participant", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"],
            ["chat.chat_id"],
        ),
        sa.PrimaryKeyConstraint("chat_id", "position"),
        sa.UniqueConstraint("chat_id", "author", "message_id", name="message_is_said_once"),
    )


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_table("entry")
    op.drop_index(
        "waiting_chats",
        table_name="chat",
        sqlite_where=sa.text("state = 1"),
        postgresql_where=sa.text("state = 1"),
    )
    op.drop_table("chat")
