"""A payment provider that is asked over HTTP.

Nothing is tried again here: who asked for a payment asks again, with the same key, and knows how
long it is worth trying.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import httpx
import msgspec
from contract.v1.money import Money

from seam.outages import Outage
from services.payments.provider.clients import Clients
from services.payments.provider.messages import (
    CHARGES,
    KEY_HEADER,
    MAXIMUM_BYTES,
    VOIDS,
    Answer,
    ChargeRequest,
    Status,
)
from services.payments.provider.provider import (
    Charged,
    Declined,
    ProviderDefectError,
    ProviderUnavailableError,
    Voided,
)

CONNECTIONS: Final = 64
"""Requests at a time; others wait for one of them to end."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a request may take.

    Attributes:
        connect: to reach the provider.
        silence: without a byte of the answer.
        whole: from the wait for a connection to the end of the answer; shorter than the time-out of
            the methods that wait for it.
    """

    connect: float = 2.0
    silence: float = 5.0
    whole: float = 7.0


DEFAULT_TIMEOUTS: Final = Timeouts()

_LATER: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class HttpPaymentProvider:
    """See `PaymentProvider`."""

    def __init__(self, clients: Clients, host: str, timeouts: Timeouts) -> None:
        """Ask `host` with `clients`; see `connected`."""
        self._clients = clients
        self._timeouts = timeouts
        self._outage = Outage(f"the payment provider at {host}")

    async def charge(self, key: str, amount: Money, reference: str) -> Charged | Declined | Voided:
        """See `PaymentProvider`."""
        wanted = ChargeRequest(
            currency=amount.currency_code, minor_units=amount.minor_units, reference=reference
        )
        answer = await self._post(CHARGES, key, msgspec.json.encode(wanted))
        if answer.status is Status.CHARGED:
            return Charged()
        return Declined(answer.reason) if answer.status is Status.DECLINED else Voided()

    async def void(self, key: str) -> None:
        """See `PaymentProvider`."""
        answer = await self._post(VOIDS, key, b"")
        if answer.status is not Status.VOIDED:
            raise ProviderDefectError(
                f"POST {VOIDS} was answered with the status {answer.status.value}; expected voided"
            )

    async def _post(self, path: str, key: str, body: bytes) -> Answer:
        """Ask once, and read the answer.

        Raises:
            ProviderUnavailableError: there is none, or none yet.
            ProviderDefectError: it is no answer.
        """
        headers = {KEY_HEADER: key, "content-type": "application/json"}
        try:
            async with (
                asyncio.timeout(self._timeouts.whole),
                self._clients.one() as client,
                client.stream("POST", path, content=body, headers=headers) as response,
            ):
                status, content = response.status_code, await _read(response)
        except TimeoutError:
            raise self._unavailable(f"no answer in {self._timeouts.whole:g} s") from None
        except httpx.TransportError as error:
            raise self._unavailable(str(error) or type(error).__name__) from None
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            raise self._unavailable(f"answered {status}")
        if self._outage.away:
            self._outage.answered()
        return _answer(path, key, status, content)

    def _unavailable(self, reason: str) -> ProviderUnavailableError:
        self._outage.failed(reason)
        return ProviderUnavailableError(reason)


async def _read(response: httpx.Response) -> bytes | None:
    """The body of an answer; None when it is larger than any that is expected."""
    content = b""
    async for part in response.aiter_raw():
        content += part
        if len(content) > MAXIMUM_BYTES:
            return None
    return content


_BY_STATUS: Final[Mapping[int, frozenset[Status]]] = {
    HTTPStatus.OK: frozenset({Status.CHARGED, Status.VOIDED}),
    HTTPStatus.PAYMENT_REQUIRED: frozenset({Status.DECLINED}),
    HTTPStatus.CONFLICT: frozenset({Status.VOIDED}),
}


def _answer(path: str, key: str, status: int, content: bytes | None) -> Answer:
    where = f"POST {path} was answered {status}"
    if content is None:
        raise ProviderDefectError(f"{where} with more than {MAXIMUM_BYTES} bytes")
    possible = _BY_STATUS.get(status)
    if possible is None:
        # What it says may repeat what it was asked, and no log needs that.
        raise ProviderDefectError(f"{where}; expected 200, 402 or 409")
    try:
        answer = msgspec.json.decode(content, type=Answer)
    except msgspec.MsgspecError as error:
        raise ProviderDefectError(f"{where} with a body that is no answer: {error}") from None
    if answer.key != key:
        raise ProviderDefectError(f"{where} for another key")
    if answer.status not in possible:
        raise ProviderDefectError(f"{where} with the status {answer.status.value}")
    return answer


@asynccontextmanager
async def connected(
    url: str, api_key: str | None, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> AsyncIterator[HttpPaymentProvider]:
    """A provider at a URL, until the block ends.

    Args:
        url: where its API begins, `https://HOST` with or without a path.
        api_key: what it knows this shop by, if it asks for that.
        timeouts: how long it may take to answer.
    """
    # One line for each request is too many.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # A packed answer could be of any size.
    headers = {"accept-encoding": "identity"}
    if api_key is not None:
        headers["authorization"] = f"Bearer {api_key}"
    open_client = partial(
        httpx.AsyncClient,
        base_url=url,
        headers=headers,
        timeout=httpx.Timeout(timeouts.silence, connect=timeouts.connect),
        limits=httpx.Limits(max_connections=1),
        follow_redirects=False,
        # Reading the certificates takes long, and they are the same for all.
        verify=httpx.create_ssl_context(),
    )
    clients = Clients(open_client, CONNECTIONS)
    try:
        yield HttpPaymentProvider(clients, httpx.URL(url).host, timeouts)
    finally:
        await clients.close()
