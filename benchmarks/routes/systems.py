"""The two applications, each with the same catalogue in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.plain_shop.loading import load
from benchmarks.plain_shop.serving import serve_plain
from benchmarks.postgres import Postgres
from benchmarks.routes.catalogue import catalogue, write_csv
from benchmarks.servers import Server, module_process, run_module, server_process
from director import monolith

SHOP: Final = "the shop"
PLAIN: Final = "plain"


@contextmanager
def applications(
    size: int, directory: Path, postgres: Postgres | None
) -> Iterator[dict[str, Server]]:
    """Both applications, by name, while the block runs.

    Args:
        size: how many items the catalogue has.
        directory: an empty one, for files.
        postgres: where databases are made; else they are SQLite's, in files.
    """
    with ExitStack() as stack:
        plain_url = (
            postgres.create("plain").replace("postgresql://", "postgresql+psycopg://", 1)
            if postgres
            else f"sqlite:///{directory}/plain.db"
        )
        load(plain_url, catalogue(size))
        plain = stack.enter_context(server_process(serve_plain, DATABASE_URL=plain_url))
        shop = stack.enter_context(_shop(size, directory, postgres))
        yield {PLAIN: plain, SHOP: shop}


@contextmanager
def _shop(size: int, directory: Path, postgres: Postgres | None) -> Iterator[Server]:
    """The monolith as its artifact runs it, all services in one process."""
    databases = ["--data", str(directory)]
    if postgres is not None:
        url = postgres.create("shop")
        databases = [f"--database={service.name}={url}" for service in monolith.SERVICES]
        databases.append(f"--setting=payments.provider=simulator:{directory}/provider.db")
        run_module(monolith.__name__, "migrate", *databases)
    file = directory / "catalogue.csv"
    write_csv(size, file)
    run_module(monolith.__name__, "inventory", "import", str(file), *databases)
    with module_process(monolith.__name__, "--http", "127.0.0.1:0", *databases) as server:
        yield server
