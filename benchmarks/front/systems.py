"""The systems that customers meet, each with the same catalogue and the same customer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.checkouts.orders import ready, signed_in
from benchmarks.checkouts.systems import (
    DIRECTOR,
    ITEMS,
    Shop,
    monolith_postgresql,
    monolith_sqlite,
    split,
)
from benchmarks.front import bare
from benchmarks.front.envoy import envoy_before
from benchmarks.plain_shop.loading import load
from benchmarks.plain_shop.serving import serve_plain
from benchmarks.routes.catalogue import catalogue
from benchmarks.routes.load import ask
from benchmarks.routes.requests import get
from benchmarks.servers import cpu_of, server_process

PLAIN: Final = "FastAPI + SQLModel, SQLite"
BARE: Final = "one process, SQLite, unguarded"
ONE: Final = "one process, SQLite"
WORKERS: Final = "two workers, PostgreSQL"
BEHIND_DIRECTOR: Final = "split behind the director"
BEHIND_ENVOY: Final = "split behind Envoy"

LIMITS: Final = """
rate_limit_by_address = "1000000/second"
rate_limit_by_principal = "1000000/second"
"""
"""Limits that count every request and refuse none."""


@dataclass(frozen=True)
class System:
    """What answers customers.

    Attributes:
        address: HOST:PORT.
        token: the access token of a customer.
        pids: gives its processes.
        database_cpu: gives the seconds of CPU that its database server has used.
        broker: the process of its broker, if it has one.
    """

    address: str
    token: str
    pids: Callable[[], list[int]]
    database_cpu: Callable[[], float]
    broker: int | None = None

    def cpu(self) -> float:
        """Seconds of CPU that its processes and its broker have used."""
        return sum(map(cpu_of, [*self.pids(), *([self.broker] if self.broker else [])]))


@asynccontextmanager
async def systems() -> AsyncIterator[dict[str, System]]:
    """All systems, by name, while the block runs."""
    with ExitStack() as stack:
        bare_shop = stack.enter_context(monolith_sqlite(module=bare.__name__))
        one = stack.enter_context(monolith_sqlite(LIMITS))
        workers = stack.enter_context(monolith_postgresql("--workers", "2"))
        apart = stack.enter_context(split())
        envoy = stack.enter_context(envoy_before(apart.topology))

        def behind_envoy() -> list[int]:
            return [*apart.pids(without=DIRECTOR), envoy.pid]

        shops = {
            BARE: await _system(bare_shop),
            ONE: await _system(one),
            WORKERS: await _system(workers),
            BEHIND_DIRECTOR: await _system(apart),
        }
        behind_director = shops[BEHIND_DIRECTOR]
        shops[BEHIND_ENVOY] = System(
            envoy.address,
            behind_director.token,
            behind_envoy,
            behind_director.database_cpu,
            behind_director.broker,
        )
        # Customers of the plain application show tokens of the shop.
        (keys,) = await ask(one.address, [get("/.well-known/jwks.json")])
        url = f"sqlite:///{stack.enter_context(TemporaryDirectory(prefix='plain-'))}/plain.db"
        load(url, catalogue(ITEMS))
        plain = stack.enter_context(
            server_process(serve_plain, DATABASE_URL=url, JWKS=keys.decode())
        )
        token = shops[ONE].token
        yield {PLAIN: System(plain.address, token, lambda: [plain.pid], lambda: 0.0), **shops}


async def _system(shop: Shop) -> System:
    await ready(shop.address)
    token = await signed_in(shop.address)
    return System(shop.address, token, shop.pids, shop.database_cpu, shop.broker)
