from __future__ import annotations

import asyncio

import httpx
import pytest

from services.payments.provider.clients import Clients

MOST = 3


class Opened:
    """Opens clients, and remembers them."""

    def __init__(self) -> None:
        self.clients: list[httpx.AsyncClient] = []

    def __call__(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient()
        self.clients.append(client)
        return client


async def test_a_client_is_used_again_by_the_next_who_needs_one() -> None:
    opened = Opened()
    clients = Clients(opened, MOST)
    async with clients.one() as first:
        pass
    async with clients.one() as second:
        assert second is first
    await clients.close()


async def test_requests_of_the_same_time_share_no_client_and_open_no_more_than_the_most() -> None:
    opened = Opened()
    clients = Clients(opened, MOST)
    used: list[httpx.AsyncClient] = []
    most = 0

    async def request() -> None:
        nonlocal most
        async with clients.one() as client:
            assert client not in used
            used.append(client)
            most = max(most, len(used))
            for _ in range(3):
                await asyncio.sleep(0)
            used.remove(client)

    await asyncio.gather(*(request() for _ in range(10 * MOST)))
    assert most == MOST
    assert len(opened.clients) == MOST
    await clients.close()


async def test_a_request_that_fails_or_is_cancelled_gives_its_client_back() -> None:
    opened = Opened()
    clients = Clients(opened, 1)
    with pytest.raises(ConnectionError):
        async with clients.one():
            raise ConnectionError
    async with clients.one():
        waiting = asyncio.create_task(_use(clients))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(10), clients.one():
        pass
    assert len(opened.clients) == 1
    await clients.close()


async def test_closing_closes_every_client_that_was_opened() -> None:
    opened = Opened()
    clients = Clients(opened, MOST)
    async with clients.one(), clients.one():
        pass
    await clients.close()
    assert len(opened.clients) == 2
    assert all(client.is_closed for client in opened.clients)


async def _use(clients: Clients) -> None:
    async with clients.one():
        pass
