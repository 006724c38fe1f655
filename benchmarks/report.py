"""What benchmarks tell, and how it is printed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.measuring import Result

Row: TypeAlias = Mapping[str, str | float]
"""One line of a table: figures and words by their headings."""


@dataclass(frozen=True)
class Budget:
    """A figure that the design asks for.

    Attributes:
        claim: what must hold.
        measured: the figure, the middle of all rounds.
        holds: whether it does.
    """

    claim: str
    measured: float
    holds: bool

    @property
    def verdict(self) -> str:
        """Whether it holds, in a word."""
        return "holds" if self.holds else "MISSED"


@dataclass(frozen=True)
class Table:
    """Figures that belong together.

    Attributes:
        title: what was measured.
        rows: the figures; all rows have the same headings.
    """

    title: str
    rows: Sequence[Row]


@dataclass
class Section:
    """What one benchmark has measured."""

    tables: list[Table] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """How thoroughly benchmarks measure.

    Attributes:
        rounds: how often everything is measured in turns.
        seconds: how long an HTTP route is under load in each round.
        items: how many items the catalogue has.
        progress: is called after each round of a benchmark.
    """

    rounds: int
    seconds: float
    items: int
    progress: Callable[[], object]


def table_of(title: str, results: Sequence[Result]) -> Table:
    """Show ways of doing one thing, the first of which is the baseline."""
    return Table(
        title,
        [
            {
                "": result.name,
                "µs": result.microseconds.median,
                "min": result.microseconds.min,
                "max": result.microseconds.max,
                "ratio": result.ratio.median,
                "ratio min": result.ratio.min,
                "ratio max": result.ratio.max,
            }
            for result in results
        ],
    )


def print_report(machine: Mapping[str, str | int | None], sections: Sequence[Section]) -> None:
    """Print tables for a person."""
    console = Console(width=132)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    for section in sections:
        for table in section.tables:
            console.print(_rich(table))
    budgets = [budget for section in sections for budget in section.budgets]
    rows: list[Row] = [
        {"what must hold": each.claim, "measured": each.measured, " ": each.verdict}
        for each in budgets
    ]
    console.print(_rich(Table("Budgets", rows)))


def report_json(
    machine: Mapping[str, str | int | None], sections: Sequence[Section]
) -> dict[str, object]:
    """The same for a program."""
    return {"machine": machine, "sections": [dataclasses.asdict(each) for each in sections]}


def _rich(table: Table) -> RichTable:
    drawn = RichTable(title=table.title, title_justify="left")
    for heading in table.rows[0] if table.rows else ():
        figures = all(not isinstance(row[heading], str) for row in table.rows)
        drawn.add_column(heading, justify="right" if figures else "left", no_wrap=not figures)
    for row in table.rows:
        drawn.add_row(*map(_cell, row.values()))
    return drawn


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.2f}"
