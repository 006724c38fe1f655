"""What `publish` refuses, and that nothing is in the outbox then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from contract.v1.money import Money

from seam.contract import InvalidField
from seam.events import publish
from seam.events.publishing import MAXIMUM_KEY
from seam.events.statements import statements_of
from seam.events.testing.shop import SOLD, databases
from seam.persistence import Database

OUTBOX = statements_of("sales").outbox


async def test_an_event_of_another_service_is_refused_and_both_are_named(database_url: str) -> None:
    async with databases(database_url) as (sales, ledger):
        with pytest.raises(
            ValueError,
            match=r"sales\.v1\.Sold is an event of 'sales', and this is a transaction of 'ledger'",
        ):
            await publish_in_turn(ledger, ["a"])
        assert await count(sales) == 0


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("a" * (MAXIMUM_KEY + 1), "has 256 characters"),
        ("a\0", "holds a NUL character"),
        ("\ud800", "holds half of a surrogate pair"),
    ],
)
async def test_a_key_that_no_database_keeps_is_refused_with_all_of_its_transaction(
    database_url: str, key: str, reason: str
) -> None:
    async with databases(database_url) as (sales, _):
        with pytest.raises(InvalidField, match=rf"the key of sales\.v1\.Sold {reason}"):
            await publish_in_turn(sales, ["a", key])
        assert await count(sales) == 0


async def publish_in_turn(database: Database, keys: Sequence[str]) -> None:
    async with database.transaction() as transaction:
        for key in keys:
            await publish(transaction, SOLD, Money(currency_code=key, minor_units=1))


async def count(sales: Database) -> int:
    return await sales.fetch_one(OUTBOX.count, limit=10) or 0
