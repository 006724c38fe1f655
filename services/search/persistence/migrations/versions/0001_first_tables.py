"""First tables: what is found of items, how their words may be misspelt, and events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from seam.persistence.migrations import BY_CODE_POINT

revision = "0001"
down_revision = None

_FULL_TEXT = (
    """
    CREATE VIRTUAL TABLE document_words USING fts5(
        title, category, description,
        content='document', content_rowid='number', tokenize='ascii'
    )
    """,
    """
    CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
        INSERT INTO document_words (rowid, title, category, description)
        VALUES (new.number, new.title, new.category, new.description);
    END
    """,
    """
    CREATE TRIGGER document_removed AFTER DELETE ON document BEGIN
        INSERT INTO document_words (document_words, rowid, title, category, description)
        VALUES ('delete', old.number, old.title, old.category, old.description);
    END
    """,
    """
    CREATE TRIGGER document_changed AFTER UPDATE OF title, category, description ON document BEGIN
        INSERT INTO document_words (document_words, rowid, title, category, description)
        VALUES ('delete', old.number, old.title, old.category, old.description);
        INSERT INTO document_words (rowid, title, category, description)
        VALUES (new.number, new.title, new.category, new.description);
    END
    """,
)


def upgrade() -> None:
    """Go from nothing to 0001."""
    op.create_table(
        "document",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("sku", BY_CODE_POINT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency_code", sa.String(), nullable=False),
        sa.Column("price_minor_units", sa.BigInteger(), nullable=False),
        sa.Column(
            "title", sa.String().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False
        ),
        sa.Column(
            "category",
            sa.String().with_variant(postgresql.TSVECTOR(), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "description",
            sa.String().with_variant(postgresql.TSVECTOR(), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("document_of_item", "document", ["generation", "sku"], unique=True)
    if op.get_context().dialect.name == "sqlite":
        for statement in _FULL_TEXT:
            op.execute(statement)
    else:
        op.create_index(
            "document_by_words",
            "document",
            [sa.text("(title || category || description)")],
            postgresql_using="gin",
        )
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
        "index_state",
        sa.Column("only", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=True),
        sa.Column("building", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("indexed", sa.BigInteger(), nullable=False),
        sa.Column("builder", sa.String(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
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
        "spelling",
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("variant", BY_CODE_POINT, nullable=False),
        sa.Column("word", BY_CODE_POINT, nullable=False),
        sa.PrimaryKeyConstraint("generation", "variant", "word"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stream_cursor",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "partition"),
    )


def downgrade() -> None:
    """Go from 0001 to nothing."""
    op.drop_table("stream_cursor")
    op.drop_table("spelling")
    op.drop_index("parked_event_next_attempt", table_name="parked_event")
    op.drop_index("parked_event_key", table_name="parked_event")
    op.drop_index("parked_event_id", table_name="parked_event")
    op.drop_table("parked_event")
    op.drop_index("outbox_delivered", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("index_state")
    op.drop_index("inbox_received", table_name="inbox")
    op.drop_table("inbox")
    op.drop_table("event_lease")
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE document_words")
    else:
        op.drop_index("document_by_words", table_name="document")
    op.drop_index("document_of_item", table_name="document")
    op.drop_table("document")
