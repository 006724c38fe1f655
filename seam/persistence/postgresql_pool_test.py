"""However calls end, each connection that was made is in the pool, or has ended."""

from __future__ import annotations

import asyncio

import pytest

from seam.persistence.postgresql_pool import Pool, pool_for


class FakeConnection:
    """A connection to nowhere."""

    def __init__(self) -> None:
        self.ended = False

    def is_closed(self) -> bool:
        return self.ended

    def terminate(self) -> None:
        self.ended = True


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("end", [{"cancel"}, {"cut"}, {"cut", "cancel"}], ids=" and ".join)
async def test_a_connection_whose_call_was_ended_in_any_moment_is_not_lost(
    turns: int, end: set[str]
) -> None:
    made: list[FakeConnection] = []

    async def connect() -> FakeConnection:
        for _ in range(3):
            await asyncio.sleep(0)
        made.append(FakeConnection())
        return made[-1]

    pool = Pool(connect, 1, 3.0)
    call = asyncio.create_task(pool.take())
    for _ in range(turns):
        await asyncio.sleep(0)
    if "cut" in end:
        pool.cut()
    if "cancel" in end:
        call.cancel()
    await asyncio.wait([call])
    if not call.cancelled() and call.exception() is None:
        assert call.result().ended or "cut" not in end
        pool.give(call.result())
    pool.restore()
    async with asyncio.timeout(5):
        taken = await pool.take()
    # The pool's only place is free again, and nothing is held beside it.
    assert [each for each in made if not each.ended] == [taken]


@pytest.mark.parametrize("services", range(1, 30))
def test_the_services_of_a_process_leave_some_of_a_server_to_others(services: int) -> None:
    each = pool_for(services).connections
    assert 4 <= each <= 17
    assert services * each <= 90 or each == 4
