"""What a statement may touch is told by its program, and not by what it has touched so far."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from seam.persistence.sqlite_plan import Reach, reach_of


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(
            """
            PRAGMA foreign_keys = ON;
            CREATE TABLE cart (id TEXT PRIMARY KEY, owner TEXT, made INTEGER);
            CREATE INDEX cart_owner ON cart (owner);
            CREATE INDEX cart_made ON cart (made);
            CREATE TABLE line (
                cart TEXT REFERENCES cart, sku TEXT, place INTEGER, PRIMARY KEY (cart, sku)
            );
            CREATE TABLE note (cart TEXT REFERENCES cart, said TEXT);
            CREATE TABLE log (said TEXT);
            CREATE TRIGGER tell AFTER INSERT ON log BEGIN DELETE FROM note; END;
            """
        )
        yield connection


@pytest.mark.parametrize(
    ("sql", "arguments", "reach"),
    [
        ("INSERT INTO line VALUES (?, ?, ?)", 3, Reach.ROW),
        ("INSERT INTO line VALUES (?, ?, 1) ON CONFLICT DO NOTHING", 2, Reach.ROW),
        ("UPDATE cart SET made = ? WHERE id = ?", 2, Reach.ROW),
        ("DELETE FROM line WHERE cart = ? AND sku = ?", 2, Reach.ROW),
        ("DELETE FROM line WHERE cart = ?", 1, Reach.KEY),
        ("UPDATE cart SET made = 1 WHERE owner = ?", 1, Reach.KEY),
        ("INSERT INTO line SELECT ?, ?, max(place) FROM line WHERE cart = ?", 3, Reach.KEY),
        ("DELETE FROM cart WHERE made < ?", 1, Reach.TABLE),
        ("UPDATE cart SET owner = ?", 1, Reach.TABLE),
        ("DELETE FROM log", 0, Reach.TABLE),
        ("DELETE FROM line WHERE place = ?", 1, Reach.TABLE),
        ("UPDATE cart SET made = 1 WHERE id IN (SELECT value FROM json_each(?))", 1, Reach.TABLE),
        ("INSERT INTO line SELECT id, ?, 1 FROM cart", 1, Reach.TABLE),
        ("UPDATE cart SET made = (SELECT count(*) FROM log) WHERE id = ?", 1, Reach.TABLE),
    ],
)
def test_a_statement_reaches_what_its_program_may_look_at(
    connection: sqlite3.Connection, sql: str, arguments: int, reach: Reach
) -> None:
    assert reach_of(connection, sql, [None] * arguments) is reach


@pytest.mark.parametrize(
    "sql", ["DELETE FROM cart WHERE id = ?", "INSERT INTO log VALUES (?)"], ids=["key", "trigger"]
)
def test_what_comes_with_a_statement_is_no_part_of_the_rows_that_it_names(
    connection: sqlite3.Connection, sql: str
) -> None:
    """A row that others refer to, without an index on that, and a trigger."""
    assert reach_of(connection, sql, ["x"]) is not Reach.ROW


def test_it_is_not_run(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO cart VALUES ('a', 'b', 1)")
    reach_of(connection, "DELETE FROM cart", [])
    assert connection.execute("SELECT count(*) FROM cart").fetchall() == [(1,)]
