"""What goes wrong between a client and the simulated provider."""

from __future__ import annotations

import asyncio
from copy import copy
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send

from services.payments.provider.messages import CHARGES, KEY_HEADER, VOIDS
from services.payments.simulator.behaviour import Fault, Faults

_KEY: Final = KEY_HEADER.lower().encode()


def misbehaving(app: ASGIApp, faults: Faults) -> ASGIApp:
    """Let requests to the provider go wrong; those that steer or audit it never do."""

    async def misbehave(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"] not in {CHARGES, VOIDS}:
            await app(scope, receive, send)
            return
        # What was asked for is done even when the client has left meanwhile.
        body = await _body(receive)
        key = dict(scope["headers"]).get(_KEY, b"")
        fault = faults.next(scope["path"], key.decode("latin-1"))
        if fault is Fault.HANG:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if fault is Fault.UNAVAILABLE:
            await _answer(send, 503, b'{"detail": "come back later"}')
            return
        if fault is Fault.LATE:
            await asyncio.sleep(faults.behaviour.delay)
        if fault in {Fault.LOSE, Fault.GARBLE, Fault.TWICE}:
            await app(_copied(scope), _received(body), _unsent)
        if fault in {Fault.LOSE, Fault.DROP}:
            await _break_off(send)
        elif fault is Fault.GARBLE:
            await _answer(send, 200, b'{"key": "' + key + b'", "status": "ch')
        else:
            await app(scope, _received(body), send)

    return misbehave


def _copied(scope: Scope) -> Scope:
    """The scope for another run of the application, which keeps things in it."""
    copied = copy(scope)
    copied["state"] = {}
    return copied


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += message["body"]
        if not message["more_body"]:
            return body


def _received(body: bytes) -> Receive:
    """Give a body that was received already."""

    async def receive() -> HTTPReceiveMessage:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _unsent(_: Message) -> None:
    pass


async def _answer(send: Send, status: int, body: bytes) -> None:
    length = str(len(body)).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json"), (b"content-length", length)],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _break_off(send: Send) -> None:
    """Begin an answer that never ends: the server closes the connection."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
    )
