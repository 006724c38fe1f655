from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

from conformance.requests import failure_of
from conformance.v1.conformance import EchoRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from conformance.wiring import server_process
from seam.bus import GrpcChannel, open_channel
from seam.contract import Code, StatusError
from seam.outages import Outage


def test_an_outage_is_one_line_and_its_end_another(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("inventory.v1.Inventory")
    with caplog.at_level(logging.INFO):
        for _ in range(10_000):
            outage.failed("connection refused")
        outage.answered()
        outage.answered()
    assert [record.getMessage() for record in caplog.records] == [
        "inventory.v1.Inventory is not available: connection refused",
        "inventory.v1.Inventory is available again",
    ]


def test_what_comes_and_goes_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("inventory.v1.Inventory")
    for _ in range(10_000):
        outage.failed("connection refused")
        assert outage.away
        outage.answered()
        assert not outage.away
    assert len(caplog.records) <= 4


async def test_who_calls_a_peer_that_is_away_learns_no_address_and_the_log_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        server_process() as server,
        open_channel(server.address, [CONFORMANCE]) as connection,
    ):
        stub = ConformanceStub(GrpcChannel(connection))
        await stub.echo(EchoRequest())
        await server.kill()
        answered = False
        port = server.address.rpartition(":")[2]
        with caplog.at_level(logging.INFO):
            for _ in range(5):
                error = await failure_of(stub.echo(EchoRequest()))
                assert error.code is Code.UNAVAILABLE
                assert error.message == "conformance is not available"
            await server.start()
            async with asyncio.timeout(30):
                while not answered:
                    with suppress(StatusError):
                        await stub.echo(EchoRequest())
                        answered = True
    lines = [r.getMessage() for r in caplog.records if r.name == "seam.outages"]
    assert len(lines) == 2
    assert lines[0].startswith("conformance.v1.Conformance is not available: ")
    assert port in lines[0]
    assert lines[1] == "conformance.v1.Conformance is available again"
