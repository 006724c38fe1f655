"""Which generation of the index is searched, and which one is being built, and by whom.

A generation that is begun takes the place of one that was being built before: whoever still builds
that one notices with the next thing that it writes. So a process may end anywhere, and two may even
build at the same time; what is searched changes in one statement, when a generation is whole.
"""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import bindparam, or_, select, update
from sqlmodel import col

from seam.persistence import Command, Database, Query, Session, Transaction
from services.search.persistence.tables import IndexStateRow


class IndexState(msgspec.Struct, frozen=True):
    """How far the index is.

    Attributes:
        live: the generation that is searched; None until the first one is whole.
        building: the generation that is being built, or was when its builder ended.
        last: the last generation that was begun.
        wanted: how often somebody has asked for a new generation.
        granted: how often that was so when the last generation was begun.
        indexed: how many items the generation that is being built has taken.
        builder: which process builds it; "" for none.
    """

    live: int | None
    building: int | None
    last: int
    wanted: int
    granted: int
    indexed: int
    builder: str

    @property
    def generations(self) -> tuple[int, ...]:
        """The generations that follow the catalogue."""
        return tuple(each for each in (self.live, self.building) if each is not None)

    @property
    def is_due(self) -> bool:
        """Whether a generation is to be built."""
        return self.live is None or self.building is not None or self.wanted > self.granted


def _state(  # noqa: PLR0917 (the columns of a row)
    live: int | None,
    building: int | None,
    last: int,
    wanted: int,
    granted: int,
    indexed: int,
    builder: str,
) -> IndexState:
    return IndexState(live, building, last, wanted, granted, indexed, builder)


_THE_ROW: Final = col(IndexStateRow.only) == 1

_MAKE: Final = Command(
    lambda insert: (
        insert(IndexStateRow)
        .values(
            only=1,
            live=None,
            building=None,
            last=0,
            wanted=0,
            granted=0,
            indexed=0,
            builder="",
            expires=0,
        )
        .on_conflict_do_nothing()
    )
)

_READ_COLUMNS: Final = select(
    col(IndexStateRow.live),
    col(IndexStateRow.building),
    col(IndexStateRow.last),
    col(IndexStateRow.wanted),
    col(IndexStateRow.granted),
    col(IndexStateRow.indexed),
    col(IndexStateRow.builder),
).where(_THE_ROW)

_READ: Final = Query(_READ_COLUMNS, _state)

_LOCK: Final = Query(_READ_COLUMNS.with_for_update(), _state)

_ASK: Final = Command(
    update(IndexStateRow).where(_THE_ROW).values(wanted=col(IndexStateRow.wanted) + 1)
)

_BEGIN: Final = Command(
    update(IndexStateRow)
    .where(
        _THE_ROW,
        or_(
            col(IndexStateRow.builder).in_(["", bindparam("me")]),
            col(IndexStateRow.expires) < bindparam("now"),
            # Nobody holds it for so long: a clock was set back.
            col(IndexStateRow.expires) > bindparam("horizon"),
        ),
    )
    .values(
        building=col(IndexStateRow.last) + 1,
        last=col(IndexStateRow.last) + 1,
        granted=col(IndexStateRow.wanted),
        indexed=0,
        builder=bindparam("me"),
        expires=bindparam("until"),
    )
)

_GO_ON: Final = Command(
    update(IndexStateRow)
    .where(_THE_ROW, col(IndexStateRow.building) == bindparam("generation"))
    .values(indexed=col(IndexStateRow.indexed) + bindparam("more"), expires=bindparam("until"))
)

_FINISH: Final = Command(
    update(IndexStateRow)
    .where(_THE_ROW, col(IndexStateRow.building) == bindparam("generation"))
    .values(live=col(IndexStateRow.building), building=None, builder="", expires=0)
)


class SupersededError(Exception):
    """Another generation was begun, so there is no use in building this one."""


async def make_state(database: Database) -> None:
    """Make the state of an index that was never built, unless there is one."""
    await database.execute(_MAKE)


async def read_state(session: Session) -> IndexState:
    """How far the index is."""
    return _there(await session.fetch_one(_READ))


async def lock_state(transaction: Transaction) -> IndexState:
    """How far the index is, and stays until the transaction ends; others who write wait."""
    return _there(await transaction.fetch_one(_LOCK))


async def ask_for_generation(session: Session) -> None:
    """Have a new generation built by whoever serves."""
    await session.execute(_ASK)


async def begin_generation(database: Database, me: str, now: int, lease: int) -> int | None:
    """Begin a generation, unless somebody else builds one.

    Args:
        database: the database of the search.
        me: which process this is.
        now: the time, in microseconds since the epoch.
        lease: for how long others leave it to this one, in microseconds.

    Returns:
        The generation; None when another process builds one.
    """
    async with database.transaction() as transaction:
        begun = await transaction.execute(
            _BEGIN, me=me, now=now, until=now + lease, horizon=now + 2 * lease
        )
        state = await read_state(transaction)
    return state.building if begun else None


async def keep_building(transaction: Transaction, generation: int, more: int, until: int) -> None:
    """Note that a generation has taken items, and that it is still being built.

    Raises:
        SupersededError: it is no longer the one that is built.
    """
    if not await transaction.execute(_GO_ON, generation=generation, more=more, until=until):
        raise SupersededError


async def finish_generation(database: Database, generation: int) -> None:
    """Let a whole generation be searched from now on.

    Raises:
        SupersededError: it is no longer the one that is built.
    """
    if not await database.execute(_FINISH, generation=generation):
        raise SupersededError


def _there(state: IndexState | None) -> IndexState:
    if state is None:
        raise LookupError("the state of the index is missing; start the service once to make it")
    return state
