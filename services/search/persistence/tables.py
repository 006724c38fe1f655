"""Tables of the search.

All of what is found belongs to a *generation* of the index. One of them is live; another one may be
being built from the catalogue, while the live one serves and follows every change.

SQLite finds words by FTS5, in a virtual table that triggers keep equal to `document`; PostgreSQL by
an index on the columns of `document` themselves. The former is made here by SQL, for SQLite alone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, event, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from seam.events import event_tables
from seam.persistence import Text
from services.search.domain.words import MAXIMUM_WORD_LENGTH
from services.search.persistence.word_columns import Words

# As long as they may be; how long they are is the business of those who make them.
_SKU = Text("sku", 255, by_code_point=True)

_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up a column of this type alone."""


class Table(SQLModel, registry=registry(metadata=MetaData(schema="search"))):
    """Base of the tables of the search, in their schema."""


class DocumentRow(Table, table=True):
    """What of an item is found and shown, in one generation."""

    __tablename__ = "document"
    __table_args__ = (
        Index("document_of_item", "generation", "sku", unique=True),
        Index(
            "document_by_words",
            text("(title || category || description)"),
            postgresql_using="gin",
        ).ddl_if(dialect="postgresql"),
    )

    number: int = Field(sa_column=Column(_NUMBER, primary_key=True, autoincrement=True))
    generation: int = Field(sa_type=BigInteger)
    sku: str = Field(sa_column=Column(_SKU, nullable=False))
    version: int = Field(sa_type=BigInteger)
    name: str = Field(sa_column=Column(Text("name", 1_000), nullable=False))
    currency_code: str = Field(sa_column=Column(Text("currency_code", 3), nullable=False))
    price_minor_units: int = Field(sa_type=BigInteger)
    title: str = Field(sa_column=Column(Words("A"), nullable=False))
    category: str = Field(sa_column=Column(Words("B"), nullable=False))
    description: str = Field(sa_column=Column(Words("D"), nullable=False))


class SpellingRow(Table, table=True):
    """A word of the catalogue, by what is left of it when characters are left out.

    There may be words that no item has any more; a generation that is built anew has none.
    """

    __tablename__ = "spelling"
    __table_args__ = ({"sqlite_with_rowid": False},)

    generation: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    variant: str = Field(
        sa_column=Column(Text("variant", MAXIMUM_WORD_LENGTH, by_code_point=True), primary_key=True)
    )
    word: str = Field(
        sa_column=Column(Text("word", MAXIMUM_WORD_LENGTH, by_code_point=True), primary_key=True)
    )


class IndexStateRow(Table, table=True):
    """Which generation is live, and which one is being built: one row.

    Attributes:
        only: 1.
        live: the generation that is searched; NULL until the first one is whole.
        building: the generation that is being built.
        last: the last generation that was begun.
        wanted: how often somebody has asked for a new generation.
        granted: how often that was so when the last generation was begun.
        indexed: how many items the generation that is being built has taken from the catalogue.
        builder: which process builds it; "" for none.
        expires: until when others leave it to that process, in microseconds since the epoch.
    """

    __tablename__ = "index_state"

    only: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    live: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    building: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    last: int = Field(sa_type=BigInteger)
    wanted: int = Field(sa_type=BigInteger)
    granted: int = Field(sa_type=BigInteger)
    indexed: int = Field(sa_type=BigInteger)
    builder: str = Field(sa_column=Column(Text("builder", 255), nullable=False))
    expires: int = Field(sa_type=BigInteger)


event_tables(Table.metadata)

FULL_TEXT: Final = (
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
"""SQLite's index of words, which holds none of the texts a second time.

Its tokenizer parts words at blanks alone: what is not ASCII is part of a word, and folding is done
before. Source: https://sqlite.org/fts5.html#external_content_tables
"""


def _make_full_text(_: object, connection: Connection, **__: object) -> None:
    if connection.dialect.name == "sqlite":
        for statement in FULL_TEXT:
            connection.exec_driver_sql(statement)


event.listen(DocumentRow.__table__, "after_create", _make_full_text)  # type: ignore[attr-defined]
