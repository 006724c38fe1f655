"""The HTTP API of the simulated provider, and what steers and audits it."""

from __future__ import annotations

import asyncio
from typing import Final, TypeAlias

import msgspec
from litestar import Litestar, MediaType, Request, Response, get, post, put
from litestar.datastructures import State
from litestar.types import ASGIApp

from services.payments.provider.messages import (
    CHARGES,
    KEY_HEADER,
    MAXIMUM_BYTES,
    VOIDS,
    Answer,
    ChargeRequest,
    Status,
)
from services.payments.simulator.behaviour import Behaviour, Faults
from services.payments.simulator.ledger import Ledger, OtherChargeError
from services.payments.simulator.misbehaving import misbehaving

BEHAVIOUR: Final = "/simulator/behaviour"
LEDGER: Final = "/simulator/ledger"

_Request: TypeAlias = Request[object, object, State]

_STATUS: Final = {Status.CHARGED: 200, Status.DECLINED: 402, Status.VOIDED: 409}


def application(ledger: Ledger, faults: Faults, api_key: str | None = None) -> ASGIApp:
    """Make the application.

    Args:
        ledger: the books.
        faults: decide what goes wrong.
        api_key: what clients have to show; anybody may charge when it is None.
    """
    expected = None if api_key is None else f"Bearer {api_key}"

    def refusal_of(request: _Request) -> Response[bytes] | None:
        if expected is not None and request.headers.get("authorization") != expected:
            return _refusal(401, "expected the API key as a bearer token")
        if not request.headers.get(KEY_HEADER):
            return _refusal(400, f"expected a header {KEY_HEADER}")
        return None

    @post(CHARGES)
    async def charge(request: _Request) -> Response[bytes]:
        """Take money, once for each key."""
        refused = refusal_of(request)
        if refused is not None:
            return refused
        key = request.headers[KEY_HEADER]
        try:
            wanted = msgspec.json.decode(await request.body(), type=ChargeRequest)
        except msgspec.MsgspecError as error:
            return _refusal(400, str(error))
        refusal = faults.behaviour.refusal(key, wanted.minor_units)
        try:
            entry = await asyncio.to_thread(
                ledger.charge, key, wanted.currency, wanted.minor_units, wanted.reference, refusal
            )
        except OtherChargeError:
            return _refusal(422, f"the key {key} was used before, for another amount")
        return _json(Answer(key, entry.status, entry.reason), _STATUS[entry.status])

    @post(VOIDS)
    async def void(request: _Request) -> Response[bytes]:
        """Give money back, and refuse the key for ever."""
        refused = refusal_of(request)
        if refused is not None:
            return refused
        key = request.headers[KEY_HEADER]
        await asyncio.to_thread(ledger.void, key)
        return _json(Answer(key, Status.VOIDED))

    @get(BEHAVIOUR)
    async def behaviour() -> Response[bytes]:
        """How it behaves."""
        return _json(faults.behaviour)

    @put(BEHAVIOUR)
    async def behave(request: _Request) -> Response[bytes]:
        """Behave otherwise from now on."""
        try:
            wanted = msgspec.json.decode(await request.body(), type=Behaviour)
        except msgspec.MsgspecError as error:
            return _refusal(400, str(error))
        faults.behave(wanted)
        return _json(wanted)

    @get(LEDGER)
    async def books() -> Response[bytes]:
        """What is held, and all that is known of each key."""
        held = await asyncio.to_thread(ledger.held)
        return _json({"held": held, "entries": await asyncio.to_thread(ledger.entries)})

    app = Litestar(
        route_handlers=[charge, void, behaviour, behave, books],
        request_max_body_size=MAXIMUM_BYTES,
        openapi_config=None,
        logging_config=None,
    )
    return misbehaving(app, faults)


def _refusal(status: int, detail: str) -> Response[bytes]:
    return _json({"detail": detail}, status)


def _json(body: object, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=MediaType.JSON)
