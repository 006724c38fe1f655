from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import MetaData, insert, make_url, select, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from seam.persistence import Command, Query, open_database


class Table(SQLModel, registry=registry(metadata=MetaData(schema="left_behind"))):
    """Tables of a service named `left_behind`."""


class TraceRow(Table, table=True):
    __tablename__ = "trace"

    number: int = Field(primary_key=True)


@pytest.mark.parametrize("number", [1, 2])
async def test_no_test_sees_what_another_left_behind(database_url: str, number: int) -> None:
    """Whichever runs second would find the row of the first."""
    async with open_database(database_url, Table.metadata) as database:
        await database.execute(Command(insert(TraceRow)), number=number)
        assert await database.fetch_all(Query(select(col(TraceRow.number)), int)) == [number]


async def test_the_postgresql_of_the_tests_is_a_real_one_that_no_network_reaches(
    postgres_server: Any,
) -> None:
    url = make_url(postgres_server.get_uri())
    assert url.host is None
    assert isinstance(url.query["host"], str), "the folder of its Unix socket"
    location = url.render_as_string(hide_password=False)
    async with open_database(location, Table.metadata) as database:
        version = await database.fetch_one(Query(text("SHOW server_version_num"), int))
        assert version is not None
        assert version >= 160_000
        assert await database.fetch_one(Query(text("SHOW listen_addresses"), str)) == ""
