"""The simulated provider in this process, for a shop that nobody has configured."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Final

from contract.v1.money import Money

from services.payments.provider.messages import Status
from services.payments.provider.provider import (
    Charged,
    Declined,
    ProviderDefectError,
    ProviderUnavailableError,
    Voided,
)
from services.payments.simulator.behaviour import Behaviour
from services.payments.simulator.ledger import Ledger, OtherChargeError

DECLINE_ABOVE: Final = 1_000_000
"""Minor units above which a charge is declined, so that a shop on trial can show that as well."""


class SimulatedProvider:
    """See `PaymentProvider`. It moves no money."""

    def __init__(self, ledger: Ledger) -> None:
        """Keep the books in `ledger`."""
        self._ledger = ledger
        self._behaviour = Behaviour(decline_above=DECLINE_ABOVE)

    async def charge(self, key: str, amount: Money, reference: str) -> Charged | Declined | Voided:
        """See `PaymentProvider`."""
        units = amount.minor_units
        refusal = self._behaviour.refusal(key, units)
        try:
            entry = await asyncio.to_thread(
                self._ledger.charge, key, amount.currency_code, units, reference, refusal
            )
        except OtherChargeError:
            raise ProviderDefectError(
                f"the key {key} was used before, for another amount"
            ) from None
        except sqlite3.Error as error:
            raise ProviderUnavailableError(str(error)) from None
        if entry.status is Status.CHARGED:
            return Charged()
        return Declined(entry.reason) if entry.status is Status.DECLINED else Voided()

    async def void(self, key: str) -> None:
        """See `PaymentProvider`."""
        try:
            await asyncio.to_thread(self._ledger.void, key)
        except sqlite3.Error as error:
            raise ProviderUnavailableError(str(error)) from None
