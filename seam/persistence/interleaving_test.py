"""Transactions that succeed, fail, are cancelled and run out of time at once, in any order.

What was acknowledged is there, what has failed is not, and the database serves on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.contract import StatusError
from seam.persistence import Command, Database, Query, Transaction, open_database


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class NoteRow(Table, table=True):
    __tablename__ = "note"

    number: int = Field(primary_key=True)


ADD = Command(insert(NoteRow))
NUMBERS = Query(select(col(NoteRow.number)).order_by(col(NoteRow.number)), int)

STEPS = ("add", "many", "savepoint", "undone", "pause", "read")
ENDS = ("commit", "raise", "duplicate", "swallow")

numbers = count()


@dataclass
class Plan:
    """One transaction: what it does, how it ends, and after how many turns it is cancelled."""

    steps: list[str]
    end: str
    alone: bool
    cancelled_after: int | None
    seconds: float | None
    kept: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    called_back: bool = False


PLANS = st.lists(
    st.builds(
        Plan,
        steps=st.lists(st.sampled_from(STEPS), max_size=5),
        end=st.sampled_from(ENDS),
        alone=st.sampled_from([False, False, False, True]),
        cancelled_after=st.none() | st.integers(0, 40),
        seconds=st.none() | st.floats(0, 0.01),
    ),
    min_size=1,
    max_size=24,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(database_url, Table.metadata) as database:
        yield database


async def body(plan: Plan, transaction: Transaction) -> None:
    def called_back() -> None:
        plan.called_back = True

    transaction.after_commit(called_back)
    for step in plan.steps:
        await take(step, plan, transaction)
    if plan.end == "raise":
        raise ZeroDivisionError
    if plan.end in {"duplicate", "swallow"}:
        number = await add(plan.kept, transaction)
        if plan.end == "duplicate":
            await transaction.execute(ADD, number=number)
        with suppress(IntegrityError):
            async with transaction.savepoint():
                await add(plan.undone, transaction)
                await transaction.execute(ADD, number=number)


async def take(step: str, plan: Plan, transaction: Transaction) -> None:
    if step == "add":
        await add(plan.kept, transaction)
    elif step == "many":
        rows = [next(numbers) for _ in range(150)]
        plan.kept += rows
        await transaction.execute_many(ADD, [{"number": number} for number in rows])
    elif step == "savepoint":
        async with transaction.savepoint():
            await add(plan.kept, transaction)
    elif step == "undone":
        with suppress(ZeroDivisionError):
            async with transaction.savepoint():
                await add(plan.undone, transaction)
                raise ZeroDivisionError
    elif step == "pause":
        await asyncio.sleep(0.001)
    else:
        found = set(await transaction.fetch_all(NUMBERS))
        assert set(plan.kept) <= found
        assert not set(plan.undone) & found


async def add(into: list[int], transaction: Transaction) -> int:
    number = next(numbers)
    into.append(number)
    await transaction.execute(ADD, number=number)
    return number


async def run(plan: Plan, database: Database) -> None:
    async with (
        asyncio.timeout(plan.seconds),
        database.transaction(alone=plan.alone) as transaction,
    ):
        await body(plan, transaction)


async def cancel(task: asyncio.Task[None], turns: int | None) -> None:
    if turns is not None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()


# All write the same table, each its own numbers.
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=PLANS)
async def test_what_was_acknowledged_is_there_and_nothing_else(
    database: Database, plans: list[Plan]
) -> None:
    async with asyncio.timeout(30):
        tasks = [asyncio.create_task(run(plan, database)) for plan in plans]
        await asyncio.gather(
            *(cancel(task, p.cancelled_after) for task, p in zip(tasks, plans, strict=True))
        )
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        last = next(numbers)
        await database.execute(ADD, number=last)
    found = set(await database.fetch_all(NUMBERS))
    assert last in found
    for plan, outcome in zip(plans, outcomes, strict=True):
        kept = set(plan.kept)
        assert not set(plan.undone) & found
        if outcome is None:
            assert plan.end in {"commit", "swallow"}
            assert plan.called_back
            assert kept <= found
        elif isinstance(outcome, asyncio.CancelledError | TimeoutError):
            # Who was cancelled while the disk was waited for does not know, but it is all or none.
            assert kept <= found or not kept & found
            assert not plan.called_back or kept <= found
        else:
            assert isinstance(outcome, ZeroDivisionError | IntegrityError | StatusError), outcome
            assert not kept & found
            assert not plan.called_back


class SeenError(Exception):
    """Others have written what a transaction was about to write."""


@pytest.mark.parametrize("ending", ["raises", "fails", "is cancelled"])
async def test_what_a_transaction_gave_up_for_is_there_for_everybody_when_it_has_ended(
    database: Database, ending: str
) -> None:
    """Also when it shared its commit with what it has seen."""

    async def write_once(number: int) -> None:
        try:
            async with database.transaction() as transaction:
                if number in await transaction.fetch_all(NUMBERS):
                    if ending == "raises":
                        raise SeenError
                    if ending == "is cancelled":
                        asyncio.current_task().cancel()  # type: ignore[union-attr]
                        await asyncio.sleep(0)
                await transaction.execute(ADD, number=number)
        except (SeenError, IntegrityError, asyncio.CancelledError):
            assert number in await database.fetch_all(NUMBERS)

    for _ in range(20):
        number = next(numbers)
        await asyncio.gather(*(write_once(number) for _ in range(8)))
        assert number in await database.fetch_all(NUMBERS)
