"""Authentication as processes that are killed while people register, log in and leave."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path

import httpx
import pytest

from services.authentication import service

PASSWORD = "correct horse"


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The service in a process of its own, which is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        service.__file__,
        *("--http", "127.0.0.1:0", "--data", str(directory)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode().strip()
        assert line.startswith("listening on http://"), line
        yield process, line.removeprefix("listening on ")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def visit(shop: httpx.AsyncClient, number: int, told: dict[str, bool]) -> None:
    """Register, log in and refresh until nobody answers; note who was told that they registered."""
    body = {"email": f"user{number}@example.org", "password": PASSWORD}
    if (await shop.post("/v1/users", json=body)).status_code != 200:
        return
    told[body["email"]] = True
    tokens = (await shop.post("/v1/authenticate", json=body)).json()
    for _ in range(3):
        if "refreshToken" not in tokens:
            return
        sent = {"refreshToken": tokens["refreshToken"]}
        tokens = (await shop.post("/v1/authenticate:refresh", json=sent)).json()


async def until_nobody_answers(url: str, numbers: count[int], told: dict[str, bool]) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=20) as shop:
        while True:
            try:
                await visit(shop, next(numbers), told)
            except httpx.TransportError:
                return


@pytest.mark.parametrize("answered", [3, 12])
async def test_who_was_told_that_they_registered_can_log_in_after_a_kill_and_nothing_is_half_made(
    tmp_path: Path, answered: int
) -> None:
    told: dict[str, bool] = {}
    numbers = count()
    for round_ in (1, 2):
        async with running(tmp_path) as (process, url):
            visitors = [
                asyncio.create_task(until_nobody_answers(url, numbers, told)) for _ in range(4)
            ]
            async with asyncio.timeout(60):
                while len(told) < round_ * answered:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
            process.kill()
            await asyncio.gather(*visitors)
    async with running(tmp_path) as (_, url), httpx.AsyncClient(base_url=url) as shop:
        for email in list(told)[:: max(1, len(told) // 12)]:
            answer = await shop.post(
                "/v1/authenticate", json={"email": email, "password": PASSWORD}
            )
            assert answer.status_code == 200, answer.text
    with closing(sqlite3.connect(tmp_path / "authentication.db")) as database:
        rows = {what: database.execute(query).fetchone()[0] for what, query in HALF_MADE.items()}
    assert rows == dict.fromkeys(HALF_MADE, 0)


HALF_MADE = {
    "sessions without an account": (
        "SELECT count(*) FROM session WHERE user_id NOT IN (SELECT user_id FROM account)"
    ),
    "sessions without one good token": (
        "SELECT count(*) FROM session WHERE (SELECT count(*) FROM refresh_token AS token "
        "WHERE token.session_id = session.session_id AND NOT token.used) <> 1"
    ),
    "tokens without a session": (
        "SELECT count(*) FROM refresh_token "
        "WHERE session_id NOT IN (SELECT session_id FROM session)"
    ),
    "accounts without a hash": "SELECT count(*) FROM account WHERE password_hash NOT LIKE '$arg%'",
}


async def test_two_processes_on_one_database_are_one_service(tmp_path: Path) -> None:
    body = {"email": "ann@example.org", "password": PASSWORD}
    async with (
        running(tmp_path) as (_, first_url),
        running(tmp_path) as (_, second_url),
        httpx.AsyncClient(base_url=first_url) as first,
        httpx.AsyncClient(base_url=second_url) as second,
    ):
        key_sets = [(await each.get("/.well-known/jwks.json")).json() for each in (first, second)]
        assert key_sets[0] == key_sets[1]
        assert (await first.post("/v1/users", json=body)).status_code == 200
        tokens = (await second.post("/v1/authenticate", json=body)).json()
        sent = {"refreshToken": tokens["refreshToken"]}
        answers = await asyncio.gather(
            *(each.post("/v1/authenticate:refresh", json=sent) for each in (first, second))
        )
        assert sorted(each.status_code for each in answers) == [200, 401]
        wrong = {**body, "password": "battery staple"}
        guesses = [
            (await (first, second)[number % 2].post("/v1/authenticate", json=wrong)).status_code
            for number in range(7)
        ]
        assert guesses[:6] == [401] * 5 + [429]
