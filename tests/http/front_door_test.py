"""The shop's front door over real sockets: two workers on one PostgreSQL, and their topology."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import make_url

from director.monolith import SERVICES

SHOP: Final = (sys.executable, "-m", "director.monolith")
ORIGIN: Final = "https://shop.example"
LIMIT: Final = 5_000
WITH_DATA: Final = [service.name for service in SERVICES if service.migrations is not None]
CATALOGUE: Final = "services/inventory/commands/products.csv"


def topology_of(directory: Path, url: str, limit: int) -> str:
    """A topology file of one process on PostgreSQL, which counts requests there too."""
    file = directory / "topology.toml"
    services = ", ".join(f'"{service.name}"' for service in SERVICES)
    databases = "\n".join(f'{name} = "{url}"' for name in WITH_DATA)
    file.write_text(
        f"""
        [process.shop]
        services = [{services}]
        http = "127.0.0.1:0"

        [http]
        allowed_origins = ["{ORIGIN}"]
        rate_limit_by_address = "{limit}/day"
        rate_limit_store = "{url}"
        trusted_proxies = ["127.0.0.1"]

        [settings.payments]
        provider = "simulator:{directory}/provider.db"

        [database]
        """
        + databases
    )
    return str(file)


@contextmanager
def served(directory: Path, server: Any, *, limit: int = LIMIT) -> Iterator[tuple[str, int]]:
    """The URL of the shop, and the process id of its supervisor."""
    url = make_url(server.get_uri()).render_as_string(hide_password=False)
    options = ("--topology", topology_of(directory, url, limit), "--data", str(directory))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for prepare in (("migrate",), ("inventory", "import", CATALOGUE)):
        subprocess.run([*SHOP, *prepare, *options], env=environment, check=True, timeout=120)
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [*SHOP, *options, "--workers", "2"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on http://"), (directory / "log").read_text()
        yield line.removeprefix("listening on ").strip(), process.pid
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        server.psql(
            "".join(f"DROP SCHEMA IF EXISTS {name} CASCADE;" for name in (*WITH_DATA, "gateway"))
        )


def workers_of(supervisor: int) -> set[str]:
    return set(Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split())


async def test_what_a_browser_and_a_cache_see_of_the_shop(
    tmp_path: Path, postgres_server: Any
) -> None:
    with served(tmp_path, postgres_server) as (url, _):
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            page = await client.get("/v1/inventory?pageSize=50", headers={"origin": ORIGIN})
            assert page.headers["content-encoding"] == "gzip"
            assert page.headers["access-control-allow-origin"] == ORIGIN
            held = {"if-none-match": page.headers["etag"], "accept-encoding": "identity"}
            assert (await client.get("/v1/inventory?pageSize=50", headers=held)).status_code == 304
            made = await client.post("/v1/carts")
            assert made.headers["cache-control"] == "no-store"
            assert "etag" not in made.headers
            cart = made.json()["cartId"]
            empty = await client.get(f"/v1/carts/{cart}")
            sku = page.json()["items"][0]["sku"]
            await client.put(f"/v1/carts/{cart}/items/{sku}", json={"quantity": 1})
            # A cart that has changed is sent, whatever a client holds.
            held = {"if-none-match": empty.headers["etag"]}
            full = await client.get(f"/v1/carts/{cart}", headers=held)
            assert full.status_code == 200
            assert full.headers["etag"] != empty.headers["etag"]
            asked = {"origin": ORIGIN, "access-control-request-method": "PUT"}
            allowed = await client.options(f"/v1/carts/{cart}/items/{sku}", headers=asked)
            assert "PUT" in allowed.headers["access-control-allow-methods"]
            schema = await client.get("/schema")
            held = {"if-none-match": schema.headers["etag"]}
            assert (await client.get("/schema", headers=held)).status_code == 304
            async with client.stream("GET", "/schema") as raw:
                body = b"".join([part async for part in raw.aiter_raw()])
            assert json.loads(gzip.decompress(body)) == schema.json()


async def test_one_limit_holds_over_both_workers_and_for_each_client(
    tmp_path: Path, postgres_server: Any
) -> None:
    with served(tmp_path, postgres_server, limit=12) as (url, _):
        statuses: dict[str, list[int]] = {"203.0.113.1": [], "203.0.113.2": []}
        last: Any = None
        for _ in range(20):
            for address, found in statuses.items():
                # Each on a connection of its own, and so with either worker.
                async with httpx.AsyncClient(base_url=url, timeout=60) as client:
                    headers = {"x-forwarded-for": f"1.2.3.4, {address}"}
                    last = await client.get("/v1/inventory?pageSize=1", headers=headers)
                    found.append(last.status_code)
                    assert (await client.get("/readyz", headers=headers)).status_code == 200
        for found in statuses.values():
            # A worker may hold an allowance of one back for a while; beyond the limit nobody gets.
            assert 10 <= found.count(200) <= 12
            assert set(found[12:]) == {429}
        assert last.headers["content-type"] == "application/problem+json"
        assert int(last.headers["retry-after"]) > 0
        assert last.headers["x-request-id"]


async def test_carts_are_filled_while_all_workers_are_replaced(
    tmp_path: Path, postgres_server: Any
) -> None:
    with served(tmp_path, postgres_server, limit=10**6) as (url, supervisor):
        before = workers_of(supervisor)
        assert len(before) == 2
        replaced = asyncio.Event()
        answers: list[int] = []

        async def shop(client: httpx.AsyncClient) -> None:
            while not replaced.is_set():
                cart = (await client.post("/v1/carts")).json()["cartId"]
                got = [await client.get(f"/v1/carts/{cart}") for _ in range(5)]
                answers.extend(answer.status_code for answer in got)

        async def replace() -> None:
            try:
                os.kill(supervisor, signal.SIGHUP)
                async with asyncio.timeout(120):
                    while (now := workers_of(supervisor)) & before or len(now) != 2:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
            finally:
                replaced.set()

        limits = httpx.Limits(max_keepalive_connections=8)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
            await asyncio.gather(replace(), *(shop(client) for _ in range(8)))
        assert len(answers) > 100
        assert set(answers) == {200}


def test_workers_need_a_database_that_several_processes_write(tmp_path: Path) -> None:
    paths = os.pathsep.join(str(Path(each).resolve()) for each in sys.path)
    done = subprocess.run(
        [*SHOP, "--http", "127.0.0.1:0", "--workers", "2"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "--workers 2: inventory keeps its data in an SQLite file" in done.stderr
    assert "inventory=postgresql://" in done.stderr
