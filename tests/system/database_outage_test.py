"""When a database is away, a shop says so and goes on when it is back, in every topology."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from seam.testing.databases import StoppablePostgres
from tests.system.business_processes_test import get, item_with_stock, new_cart, put
from tests.system.topologies import SERVICES, SOURCES, TOPOLOGIES, Shop, wait_until

CUSTOMERS: Final = 8

CATALOGUE: Final = """\
sku,name,description,category,price,currency,stock
KIT-MUG-0001,Mug,Holds tea.,kitchen,9.90,EUR,700
STA-PEN-0001,Pen,Writes blue.,stationery,2.40,EUR,800
"""


def start(topology: str, directory: Path, postgres: StoppablePostgres) -> Shop:
    """Start a shop whose services keep their data in one PostgreSQL, each in its schema."""
    catalogue = directory / "catalogue.csv"
    catalogue.write_text(CATALOGUE)
    command = [*SOURCES, "inventory", "import", str(catalogue)]
    at = {name: ["--database", f"{name}={postgres.url}"] for name in ("inventory", "shopping_cart")}
    launches = [
        replace(launch, command=[*launch.command, *_databases_of(launch.name, at)])
        for launch in TOPOLOGIES[topology](directory)
    ]
    everything = [*at["inventory"], *at["shopping_cart"]]
    for run in ([*SOURCES, "migrate", *everything], [*command, *at["inventory"]]):
        done = subprocess.run(run, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
    return Shop(launches, directory)


def _databases_of(process: str, at: dict[str, list[str]]) -> list[str]:
    if process == "monolith":
        return [*at["inventory"], *at["shopping_cart"]]
    return at.get(process, [])


@dataclass
class Seen:
    """What customers were answered: how often by status, and what else than success looked like."""

    statuses: Counter[int] = field(default_factory=Counter)
    refusals: set[tuple[str, str]] = field(default_factory=set)
    slowest: float = 0.0


@contextmanager
def customers(shop: Shop, cart_id: str, sku: str) -> Iterator[Seen]:
    """Browse and buy all the time."""
    seen = Seen()
    ended = threading.Event()
    errors: list[BaseException] = []

    def visit() -> None:
        with httpx.Client(base_url=shop.url, timeout=30) as client:
            requests: list[Callable[[], httpx.Response]] = [
                lambda: client.get("/v1/inventory", params={"query": "mug"}),
                lambda: client.get(f"/v1/inventory/{sku}"),
                lambda: client.get(f"/v1/carts/{cart_id}"),
                lambda: client.put(f"/v1/carts/{cart_id}/items/{sku}", json={"quantity": 2}),
                lambda: client.post("/v1/carts"),
            ]
            while not ended.is_set():
                for request in requests:
                    begun = time.monotonic()
                    response = request()
                    seen.slowest = max(seen.slowest, time.monotonic() - begun)
                    seen.statuses[response.status_code] += 1
                    if response.status_code != 200:
                        kind = response.headers["content-type"]
                        seen.refusals.add((kind, response.text))

    def guarded() -> None:
        try:
            visit()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(CUSTOMERS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert errors == []


class Running:
    """A shop that runs, with a database that can go away.

    Attributes:
        shop: the shop.
        postgres: where its services keep their data.
    """

    def __init__(self, topology: str, directory: Path, postgres: StoppablePostgres) -> None:
        """Start both."""
        self.postgres = postgres
        self.shop = start(topology, directory, postgres)
        self._directory = directory
        self._read: dict[Path, int] = {}

    def logged(self) -> str:
        """What its processes have logged since this was asked before."""
        found = ""
        for file in self._directory.glob("*/log.txt"):
            content = file.read_text()
            found += content[self._read.get(file, 0) :]
            self._read[file] = len(content)
        return found


@pytest.fixture(scope="module", params=["monolith", "split_artifacts"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A shop; each test leaves it as it was, its database there."""
    with tempfile.TemporaryDirectory(prefix="pg-") as directory:
        postgres = StoppablePostgres(Path(directory))
        try:
            found = Running(request.param, tmp_path_factory.mktemp(request.param), postgres)
            yield found
            found.shop.close()
        finally:
            postgres.close()


def missing(state: dict[str, Any]) -> set[str]:
    """What a shop says it misses."""
    named = {**state["databases"], **state["peers"]}
    return {name for name, each in named.items() if not each["ready"]}


@pytest.mark.parametrize(
    ("leave", "come_back"), [("kill", "start"), ("shut_down", "start"), ("freeze", "thaw")]
)
def test_a_database_that_goes_away_under_load_is_named_and_found_again(
    running: Running, leave: str, come_back: str
) -> None:
    shop = running.shop
    item = item_with_stock(shop, 3)
    cart_id = new_cart(shop)
    before = put(shop, cart_id, item["sku"], 2).json()
    running.logged()
    with customers(shop, cart_id, item["sku"]) as seen:
        time.sleep(1)
        assert set(seen.statuses) == {200}
        getattr(running.postgres, leave)()
        try:
            wait_until(lambda: not shop.readiness()["ready"])
            response = shop.http.get("/readyz")
            assert response.status_code == 503
            wait_until(lambda: missing(shop.readiness()) == {"inventory", "shopping_cart"})
            time.sleep(1)
            assert set(seen.statuses) <= {200, 503}
            refused = seen.statuses[503]
            assert refused > CUSTOMERS
        finally:
            getattr(running.postgres, come_back)()
        shop.wait_until_ready()
        wait_until(lambda: shop.http.get(f"/v1/carts/{cart_id}").status_code == 200)
        time.sleep(1)
    assert set(seen.statuses) <= {200, 503}
    assert seen.slowest < 10
    for kind, text in seen.refusals:
        assert kind == "application/problem+json"
        assert '"code":"UNAVAILABLE"' in text
        assert "is not available" in text
        for secret in ("postgres", "/tmp", "127.0.0.1", "SELECT", "INSERT"):
            assert secret not in text
    assert get(shop, f"/v1/carts/{cart_id}") == before
    log = running.logged()
    assert "Traceback" not in log
    # Some lines of each process, and none of each request.
    assert len(log.splitlines()) < 20 * len(SERVICES), log
    for name in ("inventory", "shopping_cart"):
        assert log.count(f": the database of {name} is not available") == 1, log
        assert log.count(f": the database of {name} is available again") == 1, log
