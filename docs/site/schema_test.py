"""What is said of tables: all that PostgreSQL would be told."""

from __future__ import annotations

from docs.site.schema import column_notes, constraint_words, index_words
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

METADATA = MetaData(schema="library")

Table("shelf", METADATA, Column("number", Integer, primary_key=True))
BOOK = Table(
    "book",
    METADATA,
    Column("isbn", String(13), primary_key=True),
    Column("shelf", ForeignKey("library.shelf.number"), nullable=False),
    Column("title", String, nullable=False, server_default=text("''")),
    Column("pages", Integer, server_default="1"),
    Column("code", String, unique=True),
    CheckConstraint("pages > 0", name="pages_are_positive"),
    UniqueConstraint("shelf", "title", name="title_is_on_a_shelf_once"),
)
Index("book_by_title", BOOK.c.title, postgresql_using="gin")
Index("short_book", BOOK.c.shelf, BOOK.c.pages, unique=True, postgresql_where=text("pages < 100"))


def test_a_column_says_what_it_must_hold_and_holds_by_default() -> None:
    assert {column.name: column_notes(column) for column in BOOK.columns} == {
        "isbn": ["primary key"],
        "shelf": ["not null", "refers to library.shelf.number"],
        "title": ["not null", "by default ''"],
        "pages": ["by default '1'"],
        "code": ["unique"],
    }


def test_what_several_columns_have_to_fulfil_is_said_of_the_table() -> None:
    assert constraint_words(BOOK) == [
        "pages_are_positive: pages > 0",
        "title_is_on_a_shelf_once: unique (shelf, title)",
    ]


def test_an_index_says_how_and_of_which_rows_it_is() -> None:
    assert index_words(BOOK) == [
        "book_by_title USING gin (title)",
        "short_book (shelf, pages) WHERE pages < 100, unique",
    ]
