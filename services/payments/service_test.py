from __future__ import annotations

from pathlib import Path

import pytest
from contract.v1.money import Money

from seam.persistence import CannotOpenDatabaseError
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import ServiceSettings, Setting
from seam.testing import strict_channel
from services.payments.records.messagebus import TakePaymentRequest
from services.payments.records.messagebus_bus import PAYMENTS, PaymentsStub
from services.payments.service import SERVICE, start
from services.payments.simulator.ledger import Ledger


def resources(url: str, provider: str) -> Resources:
    settings = ServiceSettings("payments", {"provider": Setting(provider, "--setting")})
    location = DatabaseLocation(url, embedded=False)
    return Resources(location, lambda _: strict_channel(), settings=settings)


async def test_the_service_answers_its_contract_and_takes_money_with_its_provider(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.db"
    async with start(resources(database_url, f"simulator:{file}")) as registrations:
        assert {each.descriptor for each in registrations} == {PAYMENTS}
        amount = Money(currency_code="EUR", minor_units=5)
        await PaymentsStub(strict_channel(*registrations)).take_payment(
            TakePaymentRequest(payment_id="p", amount=amount, reference="")
        )
    assert (SERVICE.needs, SERVICE.http) == ((), ())
    ledger = Ledger(file)
    assert [entry.key for entry in ledger.entries()] == ["p"]
    ledger.close()


async def test_a_database_that_cannot_be_reached_fails_the_start(tmp_path: Path) -> None:
    url = f"postgresql://me@/shop?host={tmp_path}"
    with pytest.raises(CannotOpenDatabaseError, match="No such file"):
        async with start(resources(url, f"simulator:{tmp_path}/ledger.db")):
            raise AssertionError("it was started")
