"""One thing that a repository does, and how it is done without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Statements: TypeAlias = Sequence[tuple[str, Sequence[Any]]]
"""SQL with `$1`, `$2`, …, and the values."""


@dataclass(frozen=True)
class Operation:
    """One thing that a repository does. All ways take what `arguments` gives.

    Attributes:
        name: what the report calls it.
        writes: whether it is a transaction; else it is one statement that reads.
        arguments: the arguments of the call with a number.
        repository: does it as a handler does.
        driver: the same in SQL.
        core: the same in SQLAlchemy Core, as one writes it: the statement is made when it is run.
        model: the same with entities of SQLModel.
    """

    name: str
    writes: bool
    arguments: Callable[[int], tuple[Any, ...]]
    repository: Callable[..., Awaitable[object]]
    driver: Callable[..., Statements]
    core: Callable[..., object]
    model: Callable[..., object]
