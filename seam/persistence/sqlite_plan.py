"""How much a statement that writes may touch, told before it runs.

One that only reads is ended when it takes too long, and runs again in a thread. One that writes
cannot be ended: SQLite undoes the whole transaction of an INSERT, UPDATE or DELETE that is
interrupted (https://www.sqlite.org/c3ref/interrupt.html), and with it what others have done who are
to share its commit. So its program is looked at instead (https://www.sqlite.org/opcode.html). A
program without a loop runs each of its instructions once, however large the tables are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Final

_LOOPS: Final = frozenset({"Next", "Prev", "VNext", "SorterNext", "Program"})
"""Instructions that go on with the next row, or run what belongs to a trigger."""

_WHOLE: Final = frozenset({"Count", "Clear"})
"""Instructions that go through a whole table by themselves."""

_LOOKS: Final = ("SEARCH ", "SCAN ")
"""Beginnings of lines of a plan that tell how rows of a table are found."""


class Reach(Enum):
    """How many rows a statement may look at."""

    ROW = auto()
    """As many as it names."""

    KEY = auto()
    """All that are equal in what an index begins with: how many these are is up to the data."""

    TABLE = auto()
    """All there are."""


def reach_of(connection: sqlite3.Connection, sql: str, arguments: Sequence[Any]) -> Reach:
    """How many rows a statement may look at; it is compiled for that, and not run."""
    program = connection.execute(f"EXPLAIN {sql}", arguments).fetchall()
    instructions = {instruction for _, instruction, *_ in program}
    if not _WHOLE.isdisjoint(instructions):
        return Reach.TABLE
    if _LOOPS.isdisjoint(instructions):
        return Reach.ROW
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments).fetchall()
    looks = [line for *_, line in plan if line.startswith(_LOOKS)]
    return Reach.KEY if all(map(_is_by_key, looks)) else Reach.TABLE


def _is_by_key(line: str) -> bool:
    return line.startswith("SEARCH ") and "<" not in line and ">" not in line
