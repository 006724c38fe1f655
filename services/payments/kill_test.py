"""Payments as a process that is killed while it waits for the provider."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from contract.v1.money import Money

from seam.bus import GrpcChannel, open_channel
from seam.contract import StatusError
from services.payments import service
from services.payments.provider.messages import CHARGES, VOIDS
from services.payments.records.messagebus import (
    GetPaymentRequest,
    PaymentState,
    PaymentVoidedError,
    TakePaymentRequest,
    VoidPaymentRequest,
)
from services.payments.records.messagebus_bus import PAYMENTS, PaymentsStub
from services.payments.simulator.behaviour import Behaviour, Fault
from services.payments.simulator.serving import Simulator

TAKING = TakePaymentRequest(
    payment_id="p", amount=Money(currency_code="EUR", minor_units=500), reference="order 7"
)
VOIDING = VoidPaymentRequest(payment_id="p")


@asynccontextmanager
async def running(
    simulator: Simulator, directory: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, PaymentsStub]]:
    """The service in a process of its own, which is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        service.__file__,
        *("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data", str(directory)),
        *("--setting", f"payments.provider={simulator.url}"),
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "SEAM_PAYMENTS_API_KEY": "the-key",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            await process.stdout.readline()
            line = (await process.stdout.readline()).decode().strip()
        assert line.startswith("listening on grpc://"), line
        async with open_channel(line.removeprefix("listening on grpc://"), [PAYMENTS]) as channel:
            yield process, PaymentsStub(GrpcChannel(channel).called_by("orders"))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def reached(simulator: Simulator, path: str) -> None:
    """Wait until the provider was asked."""
    async with asyncio.timeout(30):
        while (path, "p") not in simulator.faults._requests:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def killed(process: asyncio.subprocess.Process, call: asyncio.Task[object]) -> None:
    process.kill()
    await process.wait()
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled() or isinstance(call.exception(), StatusError)


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.LATE])
@pytest.mark.parametrize("then", ["take", "void"])
async def test_whatever_was_under_way_the_next_process_goes_on_from_there(
    simulator: Simulator, tmp_path: Path, fault: Fault, then: str
) -> None:
    simulator.faults.behave(Behaviour(script=(fault,), delay=0.5))
    async with running(simulator, tmp_path) as (process, payments):
        call = asyncio.create_task(payments.take_payment(TAKING))
        await reached(simulator, CHARGES)
        await killed(process, call)
    async with running(simulator, tmp_path) as (_, payments):
        found = await payments.get_payment(GetPaymentRequest(payment_id="p"))
        assert found.state is PaymentState.TAKING
        if then == "take":
            await payments.take_payment(TAKING)
        else:
            await payments.void_payment(VOIDING)
            with pytest.raises(PaymentVoidedError):
                await payments.take_payment(TAKING)
    assert [total.charges for total in simulator.ledger.held()] == [1] * (then == "take")


async def test_a_void_that_was_under_way_is_not_forgotten(
    simulator: Simulator, tmp_path: Path
) -> None:
    async with running(simulator, tmp_path) as (process, payments):
        await payments.take_payment(TAKING)
        simulator.faults.behave(Behaviour(script=(Fault.HANG,)))
        call = asyncio.create_task(payments.void_payment(VOIDING))
        await reached(simulator, VOIDS)
        await killed(process, call)
    async with running(simulator, tmp_path) as (_, payments):
        with pytest.raises(PaymentVoidedError):
            await payments.take_payment(TAKING)
        await payments.void_payment(VOIDING)
    assert simulator.ledger.held() == []
