"""The SMTP server that takes our mails: where it is, and what its answers mean."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.headerregistry import Address
from typing import Final

import aiosmtplib
import msgspec

CONNECT_TIMEOUT: Final = 10.0
"""Seconds to connect, to encrypt and to log in."""

SEND_TIMEOUT: Final = 30.0
"""Seconds to hand over one mail."""

_LONGEST_REASON: Final = 500


class ServerLocation(msgspec.Struct, frozen=True):
    """Where the server is, and who sends.

    Attributes:
        host: its name or address.
        port: its port.
        implicit_tls: whether TLS comes first, as with `smtps://`. Otherwise it is begun by STARTTLS
            if the server offers that.
        username: who logs in; "" for nobody. A password is never sent without TLS.
        password: the password.
        ca_file: certificates that are trusted besides those of the system; "" for none.
        sender: whose address mails come from.
    """

    host: str
    port: int
    implicit_tls: bool
    username: str
    password: str
    ca_file: str
    sender: Address


class ServerAwayError(Exception):
    """No mail can be sent now, whichever it is; the text says why."""


class PutOffError(Exception):
    """The server does not take this mail now; the text says why."""


class RefusedError(Exception):
    """The server will never take this mail; the text says why."""


class Server:
    """A connection to the server."""

    def __init__(self, client: aiosmtplib.SMTP, sender: str) -> None:
        """Send by a client that is connected."""
        self._client = client
        self._sender = sender

    async def send(self, recipient: str, message: bytes) -> None:
        """Hand over one mail.

        Raises:
            ServerAwayError: no mail can be sent now. If the connection was lost at the very end,
                the server may have taken this one: SMTP cannot tell, see RFC 1047.
            PutOffError: this mail was put off.
            RefusedError: this mail was refused.
        """
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._client.sendmail(self._sender, [recipient], message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            answer = error.recipients[0]
            raise _answered(answer.code, answer.message) from None
        except aiosmtplib.SMTPDataError as error:
            raise _answered(error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            # A sender that is refused is a setting that is wrong, and no fault of the mail.
            raise ServerAwayError(reason_of(error)) from None


@asynccontextmanager
async def connected(location: ServerLocation) -> AsyncIterator[Server]:
    """A connection, until the block ends.

    Raises:
        ServerAwayError: the server does not answer, or does not let us in.
    """
    client = aiosmtplib.SMTP(
        hostname=location.host,
        port=location.port,
        username=location.username or None,
        password=location.password or None,
        timeout=CONNECT_TIMEOUT,
        use_tls=location.implicit_tls,
        # With a password it must be there.
        start_tls=False if location.implicit_tls else (True if location.username else None),
        tls_context=ssl.create_default_context(cafile=location.ca_file or None),
    )
    try:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await client.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise ServerAwayError(reason_of(error)) from None
        client.timeout = SEND_TIMEOUT
        yield Server(client, location.sender.addr_spec)
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await client.quit()
    finally:
        client.close()


def reason_of(error: Exception) -> str:
    """What an error says, in one line without what cannot be seen."""
    said = (
        f"{error.code} {error.message}"
        if isinstance(error, aiosmtplib.SMTPResponseException)
        else str(error)
    )
    return _shown(said) or type(error).__name__


def _answered(code: int, message: str) -> Exception:
    said = _shown(f"{code} {message}")
    return RefusedError(said) if code >= 500 else PutOffError(said)


def _shown(text: str) -> str:
    kept = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(kept.split())[:_LONGEST_REASON]
