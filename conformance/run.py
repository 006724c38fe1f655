"""Runs the suite against a service that somebody else wrote, over gRPC.

    ./pants run conformance/run.py -- HOST:PORT

The service implements `protos/conformance/v1/conformance.proto`. Ours is seen through the suite by
`./pants run conformance/server.py -- 127.0.0.1:7200` in another terminal, and this address.

It also holds calls to the access that the contract declares. Some carry tokens of the issuer
`conformance`, for the audience `conformance`, whose keys `./pants run conformance/run.py -- --keys`
prints. Which service calls stands in the metadata `seam-caller`, and is to be believed here.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Final

from cyclopts import App, Parameter

from conformance.issuer import JWKS
from conformance.suite import CHECKS
from conformance.v1.conformance import EchoRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub
from seam.bus import GrpcChannel, open_channel
from seam.contract import Code, StatusError

CHECK_TIMEOUT: Final = 60.0
"""Seconds that one check may take."""

EXIT_NOTHING_TO_SEE: Final = 2

app = App(
    name="conformance",
    help="See whether an implementation of conformance.v1.Conformance behaves as the bus expects.",
    version_flags=[],
)


@app.default
async def run(
    address: str = "", /, *, keys: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Run every check, and print what holds and what does not.

    Args:
        address: HOST:PORT or unix:PATH of the service.
        keys: run nothing, and print the JSON Web Key Set by which the service is to verify tokens.
    """
    if keys:
        print(JWKS.decode())
        return 0
    if not address:
        print("ADDRESS: expected HOST:PORT or unix:PATH of the service", file=sys.stderr)
        return EXIT_NOTHING_TO_SEE
    failed = 0
    async with open_channel(address, [CONFORMANCE]) as connection:
        stub = ConformanceStub(GrpcChannel(connection))
        absence = await _absence(stub)
        if absence:
            print(f"{address}: {absence}", file=sys.stderr)
            return EXIT_NOTHING_TO_SEE
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


async def _absence(stub: ConformanceStub) -> str:
    """Why nothing can be seen at the address; "" if somebody answers."""
    try:
        await stub.echo(EchoRequest())
    except StatusError as error:
        if error.code is Code.UNAVAILABLE:
            return "nobody answers"
        if error.code is Code.UNIMPLEMENTED:
            return (
                f"whoever answers does not implement {CONFORMANCE.name}, "
                "protos/conformance/v1/conformance.proto, which the checks call"
            )
    return ""


if __name__ == "__main__":
    sys.exit(app())
