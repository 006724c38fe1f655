"""Mails reach a real server: once, in time, and whatever the server does."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from email.headerregistry import Address

import pytest

from seam.persistence import Database
from seam.testing.smtp import SmtpServer, smtp_server
from services.notifications.domain.letter import Letter
from services.notifications.domain.pace import MAXIMUM_ATTEMPTS
from services.notifications.persistence.mails import Mail, MailRepository, MailState
from services.notifications.sending import sender as sending
from services.notifications.sending.sender import LEASE, Sender
from services.notifications.sending.server import ServerAwayError, ServerLocation

START = 1_800_000_000.0


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A server that takes every mail."""
    with smtp_server() as server:
        yield server


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def location(port: int, **other: object) -> ServerLocation:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "implicit_tls": False,
        "username": "",
        "password": "",
        "ca_file": "",
        "sender": Address("The shop", "shop", "example.com"),
        **other,
    }
    return ServerLocation(**values)  # type: ignore[arg-type]


async def write(database: Database, *ids: str, recipient: str = "ann@example.com") -> None:
    letter = Letter(subject="Große Freude", text="Zwölf Tassen\n", html="<p>Zwölf Tassen</p>\n")
    for mail_id in ids:
        await MailRepository(database).add(
            mail_id,
            user_id=None,
            recipient=recipient,
            letter=letter,
            state=MailState.PENDING,
            reason="",
            now=int(START * 1e6),
        )


async def stored(database: Database, mail_id: str) -> Mail:
    mail = await MailRepository(database).find(mail_id)
    assert mail is not None
    return mail


async def test_a_mail_is_sent_once_with_headers_that_say_what_it_is(
    database: Database, smtp: SmtpServer
) -> None:
    await write(database, "order-confirmed.1")
    sender = Sender(database, location(smtp.port), clock=Clock())
    assert await sender.send_due() == 1
    assert await sender.send_due() == 0
    (mail,) = smtp.mails
    message = mail.message
    assert mail.recipients == ("ann@example.com",)
    assert message["From"] == "The shop <shop@example.com>"
    assert message["To"] == "ann@example.com"
    assert message["Subject"] == "Große Freude"
    assert message["Message-ID"] == "<order-confirmed.1@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.timestamp() == START
    plain, html = message.iter_parts()
    assert plain.get_content().splitlines() == ["Zwölf Tassen"]
    assert html.get_content_type() == "text/html"
    assert "Zwölf" in html.get_content()
    assert mail.raw.isascii()
    found = await stored(database, "order-confirmed.1")
    assert (found.state, found.attempts) == (MailState.SENT, 1)


async def test_two_senders_share_the_mails_and_none_is_sent_twice(
    database: Database, smtp: SmtpServer
) -> None:
    ids = [f"m{number:02}" for number in range(40)]
    await write(database, *ids)

    async def send() -> None:
        sender = Sender(database, location(smtp.port), clock=Clock())
        while await sender.send_due():
            pass

    await asyncio.gather(send(), send(), send())
    assert sorted(mail.message["Message-ID"] for mail in smtp.mails) == [
        f"<{mail_id}@example.com>" for mail_id in ids
    ]


async def test_a_mail_that_is_put_off_is_tried_again_later_and_fails_in_the_end(
    database: Database, smtp: SmtpServer
) -> None:
    await write(database, "m")
    clock = Clock()
    sender = Sender(database, location(smtp.port), clock=clock)
    smtp.answer = lambda _: "451 4.3.0 Try again later"
    assert await sender.send_due() == 1
    assert await sender.send_due() == 0
    mail = await stored(database, "m")
    assert (mail.state, mail.reason) == (MailState.PENDING, "451 4.3.0 Try again later")
    for _ in range(MAXIMUM_ATTEMPTS - 1):
        clock.now += 3_600
        assert await sender.send_due() == 1
    mail = await stored(database, "m")
    assert mail.state == MailState.FAILED
    assert mail.reason == f"put off {MAXIMUM_ATTEMPTS} times: 451 4.3.0 Try again later"


async def test_a_mail_that_was_put_off_is_sent_once_the_server_takes_it(
    database: Database, smtp: SmtpServer
) -> None:
    await write(database, "m")
    clock = Clock()
    sender = Sender(database, location(smtp.port), clock=clock)
    smtp.recipient_answer = lambda _: "450 4.2.1 Mailbox busy"
    await sender.send_due()
    smtp.recipient_answer = lambda _: "250 OK"
    clock.now += 60
    await sender.send_due()
    assert len(smtp.mails) == 1
    assert (await stored(database, "m")).state == MailState.SENT


@pytest.mark.parametrize("where", ["recipient", "end"])
async def test_a_mail_that_is_refused_has_failed_and_others_are_sent(
    database: Database, smtp: SmtpServer, where: str
) -> None:
    await write(database, "bad", recipient="nobody@example.com")
    await write(database, "good")
    if where == "recipient":
        smtp.recipient_answer = lambda address: (
            "550 5.1.1 Who is that?" if address.startswith("nobody") else "250 OK"
        )
    else:
        smtp.answer = lambda mail: (
            "550 5.1.1 Who is that?" if "nobody@example.com" in mail.recipients else "250 OK"
        )
    sender = Sender(database, location(smtp.port), clock=Clock())
    assert await sender.send_due() == 2
    bad = await stored(database, "bad")
    assert (bad.state, bad.reason) == (MailState.FAILED, "550 5.1.1 Who is that?")
    assert (await stored(database, "good")).state == MailState.SENT


@pytest.mark.parametrize(
    "recipient",
    [
        "ann@example.com\r\nBcc: eve@example.com",
        "ann@example.com, eve@example.com",
        "no address",
        "<ann@example.com>",
        "ann@example.com\nRCPT TO:<eve@example.com>",
        "Ünn@example.com",
    ],
)
async def test_an_address_that_is_none_fails_its_mail_and_reaches_no_server(
    database: Database, smtp: SmtpServer, recipient: str
) -> None:
    await write(database, "bad", recipient=recipient)
    await write(database, "good")
    await Sender(database, location(smtp.port), clock=Clock()).send_due()
    assert (await stored(database, "bad")).state == MailState.FAILED
    assert [mail.recipients for mail in smtp.mails] == [("ann@example.com",)]


async def test_while_the_server_is_away_mails_wait_and_lose_no_attempt(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "AWAY", (0.02, 0.02))
    with smtp_server() as server:
        port = server.port
    await write(database, "m")
    sender = Sender(database, location(port), poll=0.02)
    async with sender.running():
        await _until(lambda: "is not available" in caplog.text)
        await asyncio.sleep(0.2)
        assert (await stored(database, "m")).attempts == 0
        with smtp_server(port=port) as server:
            await _until(lambda: len(server.mails) == 1)
            await _until_state(database, "m", MailState.SENT)
    said = [each.getMessage() for each in caplog.records if "SMTP server" in each.getMessage()]
    assert len(said) == 2
    assert re.search("is available again", said[1])


async def test_a_server_that_was_stopped_and_not_ended_holds_nobody_up_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections, as a kernel does for a process that is frozen, and says nothing."""
    monkeypatch.setattr("services.notifications.sending.server.CONNECT_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await write(database, "m")
        sender = Sender(database, location(listener.getsockname()[1]), clock=Clock())
        with pytest.raises(ServerAwayError):
            await sender.send_due()
    mail = await stored(database, "m")
    assert (mail.state, mail.attempts, mail.lease) == (MailState.PENDING, 0, 0)


async def test_a_mail_whose_end_nobody_knows_is_sent_again_under_the_same_name(
    database: Database, smtp: SmtpServer
) -> None:
    """The server has taken it, and the process ends before it has noted that."""
    await write(database, "m")
    clock = Clock()
    taken = threading.Event()
    let_go = threading.Event()

    def answer(_: object) -> str:
        taken.set()
        return "250 OK"

    smtp.answer = answer
    sender = Sender(database, location(smtp.port), clock=clock)
    repository = sender._mails
    ended = repository.end

    async def die(*_: object, **__: object) -> None:
        let_go.set()
        raise asyncio.CancelledError

    repository.end = die  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await sender.send_due()
    repository.end = ended  # type: ignore[method-assign]
    assert taken.is_set()
    assert let_go.is_set()
    # As long as its lease lasts it is left to the one who might still be there.
    other = Sender(database, location(smtp.port), clock=clock)
    assert await other.send_due() == 0
    clock.now += LEASE + 1
    assert await other.send_due() == 1
    first, second = (mail.message["Message-ID"] for mail in smtp.mails)
    assert first == second
    assert (await stored(database, "m")).state == MailState.SENT


async def test_who_was_frozen_beyond_the_lease_cannot_say_how_a_mail_has_ended(
    database: Database, smtp: SmtpServer
) -> None:
    await write(database, "m")
    mails = MailRepository(database)
    mail = await stored(database, "m")
    lease = await mails.take(mail, 0)
    assert lease is not None
    await Sender(database, location(smtp.port), clock=Clock()).send_due()
    await mails.end(mail, lease, MailState.FAILED, "late")
    assert (await stored(database, "m")).state == MailState.SENT


async def test_a_clock_that_was_set_back_holds_no_mail_up_for_ever(
    database: Database, smtp: SmtpServer
) -> None:
    await write(database, "m")
    clock = Clock()
    clock.now -= 10 * 86_400
    assert await Sender(database, location(smtp.port), clock=clock).send_due() == 1


async def test_old_mails_that_have_ended_are_deleted_and_those_that_wait_are_not(
    database: Database, smtp: SmtpServer
) -> None:
    await write(database, "old")
    clock = Clock()
    await Sender(database, location(smtp.port), clock=clock).send_due()
    smtp.answer = lambda _: "451 later"
    await write(database, "waiting")
    clock.now += sending.KEPT + 1
    async with Sender(database, location(smtp.port), clock=clock, poll=0.02).running():
        await _until_state(database, "old", None)
    assert (await stored(database, "waiting")).state == MailState.PENDING


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


async def _until_state(database: Database, mail_id: str, state: MailState | None) -> None:
    """Wait until a mail is in a state; None for one that is gone."""
    async with asyncio.timeout(20):
        while True:
            mail = await MailRepository(database).find(mail_id)
            if (None if mail is None else mail.state) == state:
                return
            await asyncio.sleep(0.01)
