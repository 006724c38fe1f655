"""Serves the simulated provider from this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from seam.runtime.http_server import serve_http
from seam.runtime.topology import Address
from services.payments.simulator.application import application
from services.payments.simulator.behaviour import Behaviour, Faults
from services.payments.simulator.ledger import Ledger

GRACE: Final = 1.0
"""Seconds that requests under way have at the end."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulated provider that is served.

    Attributes:
        url: where its API begins.
        ledger: its books.
        faults: what goes wrong.
    """

    url: str
    ledger: Ledger
    faults: Faults


@asynccontextmanager
async def serving(
    ledger: Ledger, behaviour: Behaviour, address: Address, api_key: str | None = None
) -> AsyncIterator[Simulator]:
    """Serve the provider's API until the block ends.

    Args:
        ledger: the books.
        behaviour: how it behaves at first.
        address: where to listen; port 0 lets the system choose.
        api_key: what clients have to show; anybody may charge when it is None.

    Raises:
        OSError: the address cannot be bound.
    """
    faults = Faults(behaviour)
    async with serve_http(application(ledger, faults, api_key), address, grace=GRACE) as bound:
        yield Simulator(f"http://{bound}", ledger, faults)
