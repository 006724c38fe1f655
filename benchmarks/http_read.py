"""What an HTTP read costs through the shop, against a handler written by hand.

Both answer `GET /v1/inventory/{sku}` from the same database, with the same statement run in the
same way, behind the same server.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import cycle, islice
from typing import Final

import msgspec
from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from sqlalchemy import MetaData, bindparam, select
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from benchmarks.measuring import Result, Way, measure
from benchmarks.routes.load import ask
from benchmarks.servers import in_another_process
from director.monolith import SERVICES
from seam.persistence import Query, open_database
from seam.runtime.hosting import hosting
from seam.runtime.http_server import serve_http
from seam.runtime.service import DatabaseLocation
from seam.runtime.topology import Address, Process, Topology

BY_HAND: Final = "Litestar by hand"
SHOP: Final = "the shop, one process"
REQUESTS: Final = 3_000

_ANYWHERE: Final = Address("127.0.0.1", 0)


# The shop numbers categories; a shop by hand would have such a table as well.
_CATEGORIES: Final = (
    "UNSPECIFIED",
    "STATIONERY",
    "KITCHEN",
    "HOME",
    "GARDEN",
    "TOOLS",
    "ELECTRONICS",
    "OUTDOOR",
    "TOYS",
    "BOOKS",
    "CLOTHING",
)


class Table(SQLModel, registry=registry(metadata=MetaData(schema="inventory"))):
    """Base of the one table that is read."""


class ItemRow(Table, table=True):
    """The columns of the shop's own table that the answer needs."""

    __tablename__ = "item"

    sku: str = Field(primary_key=True)
    name: str
    description: str
    category: int
    currency_code: str
    price_minor_units: int
    stock: int
    search_text: str


class Price(msgspec.Struct, rename="camel"):
    """A price as a client reads it."""

    currency_code: str
    minor_units: str


class ItemAnswer(msgspec.Struct, rename="camel"):
    """An item as a client reads it."""

    sku: str
    name: str
    description: str
    category: str
    price: Price
    stock: int


def _answer(  # noqa: PLR0917
    sku: str,
    name: str,
    description: str,
    category: int,
    currency_code: str,
    minor_units: int,
    stock: int,
) -> ItemAnswer:
    return ItemAnswer(
        sku=sku,
        name=name,
        description=description,
        category=f"CATEGORY_{_CATEGORIES[category]}",
        price=Price(currency_code, str(minor_units)),
        stock=stock,
    )


_FIND: Final = Query(
    select(
        col(ItemRow.sku),
        col(ItemRow.name),
        col(ItemRow.description),
        col(ItemRow.category),
        col(ItemRow.currency_code),
        col(ItemRow.price_minor_units),
        col(ItemRow.stock),
    ).where(col(ItemRow.sku) == bindparam("sku")),
    _answer,
)


async def measure_http(rounds: int, progress: Callable[[], object]) -> list[Result]:
    """Measure both, many connections at a time."""
    with tempfile.TemporaryDirectory(prefix="shop-") as directory:
        locations = {
            service.name: DatabaseLocation(f"sqlite:///{directory}/{service.name}.db", True)
            for service in SERVICES
        }
        with in_another_process(partial(serve_shop, locations)) as shop:
            inventory = locations["inventory"].url
            with in_another_process(partial(serve_by_hand, inventory)) as by_hand:
                skus = await _some_skus(shop)
                ways = [
                    Way(BY_HAND, _requests(by_hand, skus), REQUESTS),
                    Way(SHOP, _requests(shop, skus), REQUESTS),
                ]
                return await measure(ways, baseline=BY_HAND, rounds=rounds, progress=progress)


async def serve_shop(
    locations: dict[str, DatabaseLocation], listening: Callable[[str], None]
) -> None:
    """Serve the whole shop in one process."""
    process = Process("monolith", tuple(service.name for service in SERVICES), http=_ANYWHERE)
    topology = Topology({process.name: process})
    async with hosting(process, topology, SERVICES, locations, title="shop") as bound:
        listening(str(bound.http))
        await asyncio.Event().wait()


async def serve_by_hand(url: str, listening: Callable[[str], None]) -> None:
    """Serve one route, written as one would without any of this."""
    async with open_database(url, Table.metadata) as database:

        @get("/v1/inventory/{sku:str}")
        async def get_item(sku: str) -> ItemAnswer:
            found = await database.fetch_one(_FIND, sku=sku)
            if found is None:
                raise NotFoundException
            return found

        app = Litestar([get_item], openapi_config=None, logging_config=None)
        async with serve_http(app, _ANYWHERE, grace=1) as address:
            listening(str(address))
            await asyncio.Event().wait()


async def _some_skus(address: str) -> list[str]:
    (page,) = await ask(address, [b"GET /v1/inventory HTTP/1.1\r\nHost: shop\r\n\r\n"])
    return [item["sku"] for item in msgspec.json.decode(page)["items"]]


def _requests(address: str, skus: Sequence[str]) -> Callable[[int], Awaitable[None]]:
    requests = [f"GET /v1/inventory/{sku} HTTP/1.1\r\nHost: shop\r\n\r\n".encode() for sku in skus]

    async def run(times: int) -> None:
        await ask(address, list(islice(cycle(requests), times)))

    return run
