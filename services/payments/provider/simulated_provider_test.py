from __future__ import annotations

import pytest
from contract.v1.money import Money

from services.payments.provider.provider import (
    Charged,
    Declined,
    ProviderDefectError,
    ProviderUnavailableError,
    Voided,
)
from services.payments.provider.simulated_provider import DECLINE_ABOVE, SimulatedProvider
from services.payments.simulator.ledger import Ledger


def euro(minor_units: int) -> Money:
    return Money(currency_code="EUR", minor_units=minor_units)


async def test_it_answers_as_a_provider_does(ledger: Ledger) -> None:
    provider = SimulatedProvider(ledger)
    assert await provider.charge("k", euro(DECLINE_ABOVE), "") == Charged()
    assert isinstance(await provider.charge("rich", euro(DECLINE_ABOVE + 1), ""), Declined)
    with pytest.raises(ProviderDefectError):
        await provider.charge("k", euro(1), "")
    await provider.void("k")
    assert await provider.charge("k", euro(DECLINE_ABOVE), "") == Voided()
    assert ledger.held() == []


async def test_books_that_cannot_be_written_make_it_unavailable(ledger: Ledger) -> None:
    provider = SimulatedProvider(ledger)
    ledger.close()
    with pytest.raises(ProviderUnavailableError):
        await provider.charge("k", euro(1), "")
    with pytest.raises(ProviderUnavailableError):
        await provider.void("k")
