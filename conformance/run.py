"""Runs the suite against a service that somebody else wrote, over gRPC.

    ./pants run conformance/run.py -- HOST:PORT

The service implements `protos/conformance/v1/conformance.proto`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from cyclopts import App

from conformance.suite import CHECKS
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from seam.bus import GrpcChannel, open_channel

CHECK_TIMEOUT: Final = 60.0
"""Seconds that one check may take."""

app = App(name="conformance", help="See whether a service behaves as the bus expects.")


@app.default
async def run(address: str, /) -> int:
    """Run every check, and print what holds and what does not.

    Args:
        address: HOST:PORT or unix:PATH of the service.
    """
    failed = 0
    async with open_channel(address, [CONFORMANCE]) as connection:
        stub = ConformanceStub(GrpcChannel(connection))
        for check in CHECKS:
            name = check.__name__.replace("_", " ")
            try:
                async with asyncio.timeout(CHECK_TIMEOUT):
                    await check(stub)
            except Exception as error:
                failed += 1
                print(f"FAILED  {name}\n        {type(error).__name__}: {error}")
            else:
                print(f"holds   {name}")
    print(f"{len(CHECKS) - failed} hold, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(app())
