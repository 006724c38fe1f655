"""Chooses the payment provider by what was set for the service."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from seam.persistence.database import database_url
from seam.runtime import Resources
from seam.runtime.service_settings import ServiceSettings
from services.payments.provider.provider import PaymentProvider
from services.payments.provider.simulated_provider import SimulatedProvider
from services.payments.simulator.ledger import Ledger

log = logging.getLogger(__name__)

SIMULATOR: Final = "simulator:"

API_KEY_VARIABLE: Final = "SEAM_PAYMENTS_API_KEY"
"""Environment variable of the API key, unless a file holds it."""

_EXPECTED: Final = "expected https://HOST of a payment provider, or simulator:PATH to take no money"


class PaymentsSettings(msgspec.Struct, frozen=True):
    """What payments know of their surroundings.

    Attributes:
        provider: URL of the provider, or `simulator:PATH` for a simulated one in this process whose
            ledger is the file PATH. By default the latter, beside an embedded database.
        api_key_file: file that holds the provider's API key, if it asks for one.
    """

    provider: str = ""
    api_key_file: str = ""


@asynccontextmanager
async def open_provider(resources: Resources) -> AsyncIterator[PaymentProvider]:
    """The provider that the settings name, until the block ends.

    Raises:
        SettingsError: a setting cannot be used.
    """
    settings = resources.settings.read(PaymentsSettings)
    ledger = _ledger_file(settings, resources)
    if ledger is None:
        _check_url(settings.provider, resources.settings)
        api_key = _api_key(settings, resources.settings)
        # It takes a tenth of the time in which a shop is ready, and few shops on trial need it.
        from services.payments.provider.http_provider import connected  # noqa: PLC0415

        async with connected(settings.provider, api_key) as provider:
            yield provider
        return
    try:
        books = Ledger(ledger)
    except (OSError, sqlite3.Error) as error:
        raise resources.settings.error("provider", f"cannot open {ledger}: {error}") from None
    log.info("payments are simulated: no money is taken, and %s keeps the books", ledger)
    try:
        yield SimulatedProvider(books)
    finally:
        books.close()


def _ledger_file(settings: PaymentsSettings, resources: Resources) -> Path | None:
    """Where the ledger of a simulated provider is; None when another provider is asked."""
    if settings.provider.startswith(SIMULATOR):
        path = settings.provider.removeprefix(SIMULATOR)
        if not path or not path.isprintable():
            raise resources.settings.error("provider", f"names no file; {_EXPECTED}")
        return Path(path).absolute()
    location = resources.database_location
    if settings.provider:
        return None
    if not location.embedded:
        # A shop that somebody has configured gives nothing away because one line is missing.
        raise resources.settings.error(
            "provider", f"is not set, and the database of payments is configured; {_EXPECTED}"
        )
    return Path(database_url(location.url).database or "").with_name("payment_simulator.db")


def _check_url(url: str, settings: ServiceSettings) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and not (parts.username or parts.query or parts.fragment)
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise settings.error("provider", _EXPECTED)


def _api_key(settings: PaymentsSettings, given: ServiceSettings) -> str | None:
    if not settings.api_key_file:
        key = os.environ.get(API_KEY_VARIABLE)
        if key is not None and not _is_key(key):
            raise given.error("api_key_file", f"{API_KEY_VARIABLE} holds no visible ASCII text")
        return key
    try:
        key = Path(settings.api_key_file).read_text().strip()
    except (OSError, ValueError) as error:
        raise given.error("api_key_file", f"cannot be read: {error}") from None
    if not _is_key(key):
        raise given.error("api_key_file", "expected a file with one line of visible ASCII text")
    return key


def _is_key(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
