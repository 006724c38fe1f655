from __future__ import annotations

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, select

from seam.persistence import open_database, upsert


class Table(SQLModel, registry=registry(metadata=MetaData(schema="shop"))):
    """Tables of a service named `shop`."""


class WordRow(Table, table=True):
    __tablename__ = "word"

    word: str = Field(primary_key=True)
    meaning: str


async def test_a_row_that_is_there_can_be_replaced_or_kept_on_every_database(
    database_url: str,
) -> None:
    async with open_database(database_url, Table.metadata) as database:
        for meaning in ("old", "new"):
            async with database.transaction() as session:
                insert = upsert(session, WordRow)
                await session.execute(
                    insert.values(word="replaced", meaning=meaning).on_conflict_do_update(
                        index_elements=["word"], set_={"meaning": insert.excluded.meaning}
                    )
                )
                await session.execute(
                    insert.values(word="kept", meaning=meaning).on_conflict_do_nothing()
                )
        async with database.read() as session:
            rows = await session.execute(select(WordRow.word, WordRow.meaning))
            assert {tuple(row) for row in rows} == {("replaced", "new"), ("kept", "old")}
