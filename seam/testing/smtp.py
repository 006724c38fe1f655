"""A real SMTP server on this machine, which keeps what it is given and fails as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class ReceivedMail:
    """A mail that the server has taken.

    Attributes:
        recipients: the addresses of the envelope.
        raw: its bytes.
        message: what they say.
    """

    def __init__(self, envelope: Envelope) -> None:
        """Keep what an envelope holds."""
        content = envelope.content
        self.recipients = tuple(envelope.rcpt_tos)
        self.raw = content if isinstance(content, bytes) else b""
        self.message: EmailMessage = message_from_bytes(self.raw, policy=default)


class SmtpServer:
    """The server.

    Attributes:
        mails: what it has taken, in this order.
        answer: gives the answer to the end of a mail; a test may replace it. "250 OK" keeps it.
        recipient_answer: the same for a recipient.
        encrypted: whether the last mail came by TLS.
        port: where it listens on 127.0.0.1.
    """

    def __init__(self) -> None:
        """Take every mail."""
        self.mails: list[ReceivedMail] = []
        self.answer: Callable[[ReceivedMail], str] = lambda _: "250 OK"
        self.recipient_answer: Callable[[str], str] = lambda _: "250 OK"
        self.encrypted = False
        self.port = 0

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's)
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Take a recipient."""
        answer = self.recipient_answer(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 (aiosmtpd's)
        self, _: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        mail = ReceivedMail(envelope)
        answer = self.answer(mail)
        if answer.startswith("250"):
            self.mails.append(mail)
            self.encrypted = session.ssl is not None
        return answer


@contextmanager
def smtp_server(
    *,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[SmtpServer]:
    """Run a server until the block ends.

    Args:
        port: where it listens; 0 for any.
        tls: the server's certificate, if it offers STARTTLS and takes mails by that alone.
        login: user and password, if they must be given; by TLS alone.
    """
    server = SmtpServer()

    def authenticate(*given: object) -> AuthResult:
        data = given[-1]
        good = (
            isinstance(data, LoginPassword)
            and login is not None
            and (data.login, data.password) == (login[0].encode(), login[1].encode())
        )
        return AuthResult(success=good, handled=False)

    controller = _Controller(
        server,
        hostname="127.0.0.1",
        port=port,
        tls_context=tls,
        require_starttls=tls is not None,
        auth_required=login is not None,
        authenticator=authenticate,
    )
    controller.start()
    try:
        server.port = controller.bound_port
        yield server
    finally:
        controller.stop()


class _Controller(Controller):
    """Listens on a port that the kernel chooses."""

    @property
    def bound_port(self) -> int:
        """The port that it listens on."""
        assert isinstance(self.server, asyncio.Server)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    def _trigger_server(self) -> None:
        # It would connect to the port that was asked for, which may be 0.
        self.port = self.bound_port
        super()._trigger_server()  # type: ignore[no-untyped-call]
