"""What is asked again and again looks at no more rows than it wants, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from seam.events.statements import Statements
from seam.events.testing.shop import databases
from seam.persistence import Command
from seam.persistence.compilation import DIALECTS, Compiled

RARE: Final = {
    # There are as many leases and cursors as there are partitions, for each subscription.
    "cursor.all",
    "lease.all",
    "lease.renew",
    "lease.release_all",
    # Waits for a person, or for some seconds, and reads no more than is parked.
    "parked.dead",
    "parked.count",
    "parked.wake_all",
    # Have a bound of their own.
    "outbox.count",
    "outbox.oldest",
    "outbox.newest",
    # Goes along the positions, and what it finds is of partitions that nearly always are its own.
    "outbox.read",
}


def statements() -> Iterator[tuple[str, Command]]:
    for kind, group in vars(Statements("sales")).items():
        for name, statement in vars(group).items():
            yield f"{kind}.{name}", statement


@pytest.fixture
async def prepared(tmp_path: Path) -> Path:
    """A database with the tables of events."""
    async with databases(f"sqlite:///{tmp_path}/shop"):
        return tmp_path / "shop-sales"


async def test_every_statement_that_is_said_often_finds_its_rows_by_an_index(
    prepared: Path,
) -> None:
    slow: dict[str, list[str]] = {}
    for name, statement in statements():
        if name in RARE or name.endswith((".add", ".start")):
            continue
        steps = plan_of(statement, prepared)
        if any(step.startswith(("SCAN", "USE TEMP")) and "json_each" not in step for step in steps):
            slow[name] = steps
    assert not slow


async def test_what_is_not_delivered_is_found_among_much_that_is(prepared: Path) -> None:
    outbox = Statements("sales").outbox
    for read in (outbox.read_undelivered, outbox.read_delivered):
        plan = plan_of(read, prepared)
        step = next(each for each in plan if "outbox" in each)
        assert "(delivered=?" in step, plan


def plan_of(statement: Command, path: Path) -> list[str]:
    """How SQLite goes about it."""
    sql = Compiled(statement._statement("sqlite"), DIALECTS["sqlite"]).sql
    with closing(sqlite3.connect(path)) as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))
        return [step for *_, step in plan]
