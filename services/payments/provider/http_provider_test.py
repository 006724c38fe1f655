"""The provider over HTTP: against the simulator in every mood, and against other servers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from contract.v1.money import Money

from services.payments.provider.http_provider import HttpPaymentProvider, Timeouts, connected
from services.payments.provider.messages import MAXIMUM_BYTES, Status
from services.payments.provider.provider import (
    Charged,
    Declined,
    ProviderDefectError,
    ProviderUnavailableError,
    Voided,
)
from services.payments.simulator.behaviour import Behaviour, Fault
from services.payments.simulator.ledger import Ledger
from services.payments.simulator.serving import Simulator

AMOUNT = Money(currency_code="EUR", minor_units=1_999)
HASTY = Timeouts(connect=5, silence=0.3, whole=5)


@pytest.fixture
async def provider(simulator: Simulator) -> AsyncIterator[HttpPaymentProvider]:
    """A provider with little patience."""
    async with connected(simulator.url, "the-key", HASTY) as opened:
        yield opened


def status(ledger: Ledger) -> Status | None:
    """What has become of the key `k`."""
    entries = {entry.key: entry for entry in ledger.entries()}
    return entries["k"].status if "k" in entries else None


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 (nobody tells when it holds)
            await asyncio.sleep(0.02)


async def test_money_is_taken_once_for_each_key_and_given_back_once(
    provider: HttpPaymentProvider, ledger: Ledger
) -> None:
    for _ in range(2):
        assert await provider.charge("k", AMOUNT, "Zoë, order 7") == Charged()
    (entry,) = ledger.entries()
    assert (entry.currency, entry.minor_units, entry.reference) == ("EUR", 1_999, "Zoë, order 7")
    for _ in range(2):
        await provider.void("k")
    assert await provider.charge("k", AMOUNT, "Zoë, order 7") == Voided()
    assert ledger.held() == []


async def test_a_key_that_was_voided_before_it_was_charged_is_refused(
    provider: HttpPaymentProvider,
) -> None:
    await provider.void("k")
    assert await provider.charge("k", AMOUNT, "") == Voided()


async def test_a_declined_charge_says_why(
    provider: HttpPaymentProvider, simulator: Simulator
) -> None:
    simulator.faults.behave(Behaviour(decline_above=1_000))
    for _ in range(2):
        answer = await provider.charge("k", AMOUNT, "")
        assert answer == Declined("the amount is above the limit of the card")


@pytest.mark.parametrize(
    ("fault", "is_done"),
    [
        (Fault.UNAVAILABLE, False),
        (Fault.DROP, False),
        (Fault.HANG, False),
        (Fault.LOSE, True),
    ],
)
async def test_a_provider_that_does_not_answer_is_unavailable_and_the_next_call_finds_out(
    provider: HttpPaymentProvider, simulator: Simulator, fault: Fault, is_done: bool
) -> None:
    simulator.faults.behave(Behaviour(script=(fault,)))
    with pytest.raises(ProviderUnavailableError):
        await provider.charge("k", AMOUNT, "")
    assert status(simulator.ledger) is (Status.CHARGED if is_done else None)
    assert await provider.charge("k", AMOUNT, "") == Charged()

    simulator.faults.behave(Behaviour(script=(fault,)))
    with pytest.raises(ProviderUnavailableError):
        await provider.void("k")
    assert status(simulator.ledger) is (Status.VOIDED if is_done else Status.CHARGED)
    await provider.void("k")
    assert status(simulator.ledger) is Status.VOIDED


async def test_a_charge_that_arrives_after_its_client_has_gone_is_made_all_the_same(
    provider: HttpPaymentProvider, simulator: Simulator
) -> None:
    simulator.faults.behave(Behaviour(script=(Fault.LATE,), delay=0.6))
    with pytest.raises(ProviderUnavailableError):
        await provider.charge("k", AMOUNT, "")
    await until(lambda: status(simulator.ledger) is not None)
    assert await provider.charge("k", AMOUNT, "") == Charged()
    assert [total.charges for total in simulator.ledger.held()] == [1]


async def test_a_charge_that_arrives_after_the_void_takes_nothing(
    provider: HttpPaymentProvider, simulator: Simulator
) -> None:
    simulator.faults.behave(Behaviour(script=(Fault.LATE,), delay=0.6))
    with pytest.raises(ProviderUnavailableError):
        await provider.charge("k", AMOUNT, "")
    await provider.void("k")
    await until(lambda: simulator.ledger.entries()[0].charge_requests > 0)
    assert simulator.ledger.held() == []


async def test_a_request_that_arrives_twice_counts_once(
    provider: HttpPaymentProvider, simulator: Simulator
) -> None:
    simulator.faults.behave(Behaviour(rates={Fault.TWICE: 1.0}))
    assert await provider.charge("k", AMOUNT, "") == Charged()
    await provider.void("k")
    (entry,) = simulator.ledger.entries()
    assert (entry.charge_requests, entry.void_requests) == (2, 2)
    assert simulator.ledger.held() == []


async def test_an_answer_that_is_cut_short_is_a_defect_and_the_next_call_finds_out(
    provider: HttpPaymentProvider, simulator: Simulator
) -> None:
    simulator.faults.behave(Behaviour(script=(Fault.GARBLE,)))
    with pytest.raises(ProviderDefectError, match="answered 200 with a body that is no answer"):
        await provider.charge("k", AMOUNT, "")
    assert await provider.charge("k", AMOUNT, "") == Charged()


async def test_a_wrong_api_key_is_a_defect(simulator: Simulator) -> None:
    for api_key in (None, "another-key"):
        async with connected(simulator.url, api_key, HASTY) as stranger:
            with pytest.raises(ProviderDefectError, match="answered 401; expected 200, 402 or 409"):
                await stranger.charge("k", AMOUNT, "")


async def test_a_key_that_is_used_for_another_amount_is_a_defect(
    provider: HttpPaymentProvider,
) -> None:
    await provider.charge("k", AMOUNT, "")
    with pytest.raises(ProviderDefectError, match="answered 422"):
        await provider.charge("k", Money(currency_code="EUR", minor_units=1), "")


async def test_an_outage_is_said_once_and_so_is_its_end(
    provider: HttpPaymentProvider, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    simulator.faults.behave(Behaviour(rates={Fault.UNAVAILABLE: 1.0}))
    for _ in range(3):
        with pytest.raises(ProviderUnavailableError):
            await provider.charge("k", AMOUNT, "")
    simulator.faults.behave(Behaviour())
    for _ in range(3):
        await provider.charge("k", AMOUNT, "")
    assert caplog.messages == [
        "the payment provider at 127.0.0.1 is not available: answered 503",
        "the payment provider at 127.0.0.1 is available again",
    ]


async def test_a_provider_that_is_not_there_is_unavailable() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with connected(f"http://127.0.0.1:{port}", None, HASTY) as provider:
        with pytest.raises(ProviderUnavailableError):
            await provider.void("k")


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that gives every request the same bytes, and then nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield "http://{}:{}/path".format(*server.sockets[0].getsockname())
    finally:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        await server.wait_closed()


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http("200 OK", b'{"key": "other", "status": "charged"}'), "for another key"),
        (http("200 OK", b'{"key": "k", "status": "declined"}'), "200 with the status declined"),
        (http("402 Payment Required", b'{"key": "k", "status": "charged"}'), "the status charged"),
        (http("200 OK", b'{"key": "k", "status": "paid"}'), "a body that is no answer"),
        (http("200 OK", b"<html>"), "a body that is no answer"),
        (http("200 OK", b"\xff\xfe"), "a body that is no answer"),
        (http("200 OK", b"x" * (MAXIMUM_BYTES + 1)), f"more than {MAXIMUM_BYTES} bytes"),
        (http("200 OK", b"x", "content-encoding: gzip"), "a body that is no answer"),
        (http("307 Moved", b"", "location: http://127.0.0.1:1/"), "answered 307; expected 200"),
        (http("404 Not Found", b""), "answered 404"),
    ],
)
async def test_what_is_no_answer_is_a_defect_that_is_told(answer: bytes, expected: str) -> None:
    async with answering(answer) as url, connected(url, None, HASTY) as provider:
        with pytest.raises(ProviderDefectError) as caught:
            await provider.charge("k", AMOUNT, "")
    assert expected in str(caught.value)


@pytest.mark.parametrize("status", ["408 Timeout", "429 Too Many", "500 Oops", "504 Timeout"])
async def test_what_may_be_otherwise_later_is_unavailable(status: str) -> None:
    async with answering(http(status, b"{}")) as url, connected(url, None, HASTY) as provider:
        with pytest.raises(ProviderUnavailableError, match=f"answered {status[:3]}"):
            await provider.charge("k", AMOUNT, "")


async def test_an_answer_that_trickles_in_is_not_waited_for() -> None:
    timeouts = Timeouts(connect=5, silence=5, whole=0.3)
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"
    async with answering(half) as url, connected(url, None, timeouts) as provider:
        with pytest.raises(ProviderUnavailableError, match=r"no answer in 0\.3 s"):
            await provider.void("k")
