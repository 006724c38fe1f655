"""Tables of sagas, in the database of the service that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table

from seam.persistence import Text

MAXIMUM_ID: Final = 64
MAXIMUM_NAME: Final = 100
MAXIMUM_DETAIL: Final = 1_000
MAXIMUM_REASON: Final = 2_000_000
MAXIMUM_DATA: Final = 2_000_000

RUNNING: Final = "running"
COMPENSATING: Final = "compensating"
COMPLETED: Final = "completed"
COMPENSATED: Final = "compensated"


@dataclass(frozen=True, slots=True, eq=False)
class SagaTables:
    """The tables of one service's sagas.

    Attributes:
        saga: one row a saga.
        history: one row for each thing that happened to a saga.
    """

    saga: Table
    history: Table


def saga_tables(metadata: MetaData) -> SagaTables:
    """Add the tables of sagas to those of a service.

    Times are microseconds since the epoch. A saga that goes on is free to be taken from `due_at`
    on, which is when its lease ends or when it is to be tried again. `lease` counts those who have
    taken it, so that one who was taken for dead cannot write; `holder` is empty where nobody has
    it, and where somebody has, or died with it, `step` is where that one began.
    """
    saga = Table(
        "saga",
        metadata,
        Column("id", Text("id", MAXIMUM_ID), primary_key=True),
        Column("name", Text("name", MAXIMUM_NAME), nullable=False),
        Column("state", Text("state", MAXIMUM_NAME), nullable=False),
        Column("step", Text("step", MAXIMUM_NAME), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("due_at", BigInteger, nullable=False),
        Column("lease", BigInteger, nullable=False),
        Column("holder", Text("holder", MAXIMUM_NAME), nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("deadline", BigInteger, nullable=False),
        Column("data", Text("data", MAXIMUM_DATA), nullable=False),
        Column("stop", Text("stop", MAXIMUM_REASON)),
        Column("reason", Text("reason", MAXIMUM_REASON)),
    )
    # What has ended leaves the index, so that looking for work costs the same for ever.
    goes_on = saga.c.state.in_([RUNNING, COMPENSATING])
    Index("saga_due", saga.c.due_at, sqlite_where=goes_on, postgresql_where=goes_on)
    history = Table(
        "saga_history",
        metadata,
        Column(
            "position",
            BigInteger().with_variant(Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        Column("saga_id", Text("saga_id", MAXIMUM_ID), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("step", Text("step", MAXIMUM_NAME), nullable=False),
        Column("event", Text("event", MAXIMUM_NAME), nullable=False),
        Column("detail", Text("detail", MAXIMUM_DETAIL), nullable=False),
    )
    Index("saga_history_of_saga", history.c.saga_id, history.c.position)
    return SagaTables(saga, history)
