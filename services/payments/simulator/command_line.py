"""The simulated provider as a process of its own.

./pants run services/payments:simulator -- --http 127.0.0.1:8090 --fault late=0.1
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import uvloop
from cyclopts import App, Parameter

from seam.runtime.topology import Address
from services.payments.simulator.behaviour import Behaviour
from services.payments.simulator.ledger import Ledger
from services.payments.simulator.serving import serving

app = App(
    name="simulator",
    help="Stands in for a payment provider, for tests and trials.",
    version_flags=[],
    result_action="return_value",
)


@app.default
def run(
    *,
    http: str = "127.0.0.1:8090",
    ledger: Path = Path(".data/payment_simulator.db"),
    seed: int = 0,
    fault: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    delay: float = 10.0,
    decline: float = 0.0,
    decline_above: int | None = None,
    api_key: str | None = None,
) -> int:
    """Serve the provider's API until asked to end (SIGTERM or SIGINT).

    Prints `listening on http://HOST:PORT`.

    Args:
        http: HOST:PORT to serve HTTP on; port 0 lets the system choose.
        ledger: the file of the books, which is made when it is missing.
        seed: what faults and declined charges follow from.
        fault: NAME=RATE of what goes wrong with requests; may be repeated. Names are unavailable,
            drop, hang, late, lose, garble and twice, rates from 0 to 1.
        delay: seconds that a late request takes.
        decline: how many of the charges are declined, from 0 to 1.
        decline_above: the most minor units that are not declined.
        api_key: what clients have to show; anybody may charge without it.
    """
    try:
        address = Address.parse(http)
        behaviour = msgspec.convert(
            {
                "seed": seed,
                "rates": dict(_rate(each) for each in fault),
                "delay": delay,
                "decline": decline,
                "declineAbove": decline_above,
            },
            Behaviour,
        )
        books = Ledger(ledger)
    except (ValueError, OSError, sqlite3.Error) as error:
        print(f"simulator: {_reason(error, ledger)}", file=sys.stderr)
        return 2
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    # It reports each request, and each answer that is broken off on purpose.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_serve(address, books, behaviour, api_key))
        except OSError as error:
            print(f"simulator: cannot listen on {address}: {error.strerror}", file=sys.stderr)
            return 2
        finally:
            books.close()
    return 0


async def _serve(
    address: Address, books: Ledger, behaviour: Behaviour, api_key: str | None
) -> None:
    asked_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    async with serving(books, behaviour, address, api_key) as simulator:
        print(f"listening on {simulator.url}", flush=True)
        await asked_to_end.wait()


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate)
    except ValueError:
        raise ValueError(f"--fault '{text}': expected NAME=RATE") from None


def _reason(error: Exception, ledger: Path) -> str:
    if isinstance(error, OSError | sqlite3.Error):
        return f"cannot open the ledger {ledger}: {error}; expected a file that it may write"
    return str(error)


if __name__ == "__main__":
    sys.exit(app())
