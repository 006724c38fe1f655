"""Which statements take long, as far as is known: what may run on the event loop, and what not.

A statement is taken to be long that looks at all rows of a table or at a range of them
(`sqlite_plan`), and one that took long the last time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from seam.persistence.compilation import Compiled
from seam.persistence.sqlite_plan import Reach, reach_of

AGAIN: Final = 20
"""Executions of a long statement after which it is tried on the loop again."""


class SqlitePace:
    """What is known of the statements of one connection that writes."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._long: dict[Compiled, int] = {}
        self._short: dict[Compiled, bool] = {}
        self._unbounded: set[Compiled] = set()

    def forget(self) -> None:
        """Forget what was found out of statements that write, since tables may be others now."""
        self._short.clear()
        self._unbounded.clear()

    def is_long(self, compiled: Compiled) -> bool:
        """Whether a statement that reads is known to take long."""
        left = self._long.get(compiled)
        if left is None:
            return False
        if left == 0:
            del self._long[compiled]
            return False
        self._long[compiled] = left - 1
        return True

    def note(self, compiled: Compiled) -> None:
        """Remember that a statement that reads takes long."""
        self._long[compiled] = AGAIN

    def is_short(
        self, connection: sqlite3.Connection, compiled: Compiled, arguments: Sequence[Any]
    ) -> bool:
        """Whether a statement that writes may run on the event loop, where nothing can end it.

        Of one whose rows are not told by its program, the thread finds out.
        """
        short = self._short.get(compiled)
        if short is None:
            reach = reach_of(connection, compiled.sql, arguments)
            if reach is Reach.TABLE:
                self._unbounded.add(compiled)
            short = self._short[compiled] = reach is Reach.ROW
        return short

    def learn(self, compiled: Compiled, *, short: bool) -> None:
        """Remember how long a statement that writes has taken."""
        self._short[compiled] = short and compiled not in self._unbounded
