from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import MetaData, make_url, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, select

from seam.persistence import open_database


class Table(SQLModel, registry=registry(metadata=MetaData(schema="left_behind"))):
    """Tables of a service named `left_behind`."""


class TraceRow(Table, table=True):
    __tablename__ = "trace"

    number: int = Field(primary_key=True)


@pytest.mark.parametrize("number", [1, 2])
async def test_no_test_sees_what_another_left_behind(database_url: str, number: int) -> None:
    """Whichever runs second would find the row of the first."""
    async with open_database(database_url, Table.metadata) as database:
        async with database.transaction() as session:
            session.add(TraceRow(number=number))
        async with database.read() as session:
            assert (await session.execute(select(TraceRow.number))).scalars().all() == [number]


async def test_the_postgresql_of_the_tests_is_a_real_one_that_no_network_reaches(
    postgres_server: Any,
) -> None:
    url = make_url(postgres_server.get_uri())
    assert url.host is None
    assert isinstance(url.query["host"], str), "the folder of its Unix socket"
    location = url.render_as_string(hide_password=False)
    async with open_database(location, Table.metadata) as database, database.read() as session:
        version = (await session.execute(text("SHOW server_version_num"))).scalar_one()
        assert int(version) >= 160_000
        assert (await session.execute(text("SHOW listen_addresses"))).scalar_one() == ""
