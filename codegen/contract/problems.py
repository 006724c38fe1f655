"""What is wrong with a contract, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Location",
    "Problem",
    "RefusedContractError",
]


@dataclass(frozen=True, order=True)
class Location:
    """A place in a contract; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """Why nothing can be generated from a contract, and where."""

    location: Location
    reason: str

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"


class RefusedContractError(Exception):
    """Contracts from which nothing can be generated.

    Args:
        problems: what is wrong, and where.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
