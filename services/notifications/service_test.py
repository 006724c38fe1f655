from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from contract.v1.dead_letters import ListDeadLettersRequest
from contract.v1.money import Money
from msgspec import structs

from seam.bus import InProcessChannel, Registration
from seam.contract import ServiceDescriptor
from seam.events import Subscription
from seam.persistence import Database
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from seam.testing import strict_channel
from seam.testing.dead_letters import leave_dead_letter
from seam.testing.smtp import SmtpServer, smtp_server
from services.authentication.records.messagebus_events import USER_DELETED
from services.notifications.commands.mails import commands
from services.notifications.persistence.migrations import MIGRATIONS
from services.notifications.records.api_bus import (
    NOTIFICATIONS_DEAD_LETTERS_API,
    NotificationsDeadLettersApiStub,
)
from services.notifications.service import SERVICE, start
from services.orders.records.messagebus import OrderConfirmed
from services.orders.records.messagebus_events import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_REJECTED,
)

CONFIRMED = OrderConfirmed(
    order_id="1",
    cart_id="mine",
    cart_revision=1,
    lines=(),
    total=Money(currency_code="EUR", minor_units=990),
    email="ann@example.com",
)


def nowhere(_: ServiceDescriptor) -> InProcessChannel:
    raise AssertionError("it calls nobody")


class Host:
    """Keeps the database of the service, as a process does."""

    database: Database | None = None

    def opened(self, database: Database, _: object) -> None:
        self.database = database


def resources(url: str, host: Host, **settings: str) -> Resources:
    given = {name: Setting(value, "shop.toml:1") for name, value in settings.items()}
    return Resources(
        DatabaseLocation(url=url, embedded=True),
        nowhere,
        opened=host.opened,
        settings=ServiceSettings("notifications", given),
        migrations=MIGRATIONS,
    )


async def until_sent(server: SmtpServer) -> None:
    async with asyncio.timeout(20):
        while True:
            if server.mails:
                return
            await asyncio.sleep(0.01)


async def confirm(
    host: Host, provided: object, *, order_id: str = "1", email: str = "ann@example.com"
) -> None:
    assert isinstance(provided, tuple)
    subscriptions = [each for each in provided if isinstance(each, Subscription)]
    (subscription,) = [each for each in subscriptions if each.event is ORDER_CONFIRMED]
    assert host.database is not None
    async with host.database.transaction() as transaction:
        event = structs.replace(CONFIRMED, order_id=order_id, email=email)
        await subscription.handler(event, transaction)


async def test_the_service_listens_and_answers_the_shop_s_people_alone(tmp_path: Path) -> None:
    host = Host()
    async with start(resources(f"sqlite:///{tmp_path}/n.db", host)) as provided:
        subscriptions = [each for each in provided if isinstance(each, Subscription)]
        registrations = [each for each in provided if isinstance(each, Registration)]
        assert [each.descriptor for each in registrations] == [NOTIFICATIONS_DEAD_LETTERS_API]
        assert {each.event for each in subscriptions} == {
            ORDER_CONFIRMED,
            ORDER_REJECTED,
            ORDER_CANCELLED,
            USER_DELETED,
        }
    assert [api.descriptor for api in SERVICE.http] == [NOTIFICATIONS_DEAD_LETTERS_API]
    assert (SERVICE.needs, SERVICE.publishes) == ((), ())


async def test_a_confirmed_order_becomes_a_mail_on_the_server(tmp_path: Path) -> None:
    host = Host()
    with smtp_server() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        settings = resources(
            f"sqlite:///{tmp_path}/n.db", host, smtp=url, sender="shop@example.com"
        )
        async with start(settings) as provided:
            await confirm(host, provided)
            await until_sent(server)
        (mail,) = server.mails
        assert mail.message["Subject"] == "Your order 1 is confirmed"


async def test_mails_that_were_sent_that_failed_and_that_wait_are_counted(tmp_path: Path) -> None:
    host = Host()
    with smtp_server() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        given = resources(f"sqlite:///{tmp_path}/n.db", host, smtp=url, sender="shop@example.com")
        server.recipient_answer = lambda address: {
            "ann@example.com": "250 OK",
            "bob@example.com": "550 5.1.1 Who is that?",
        }.get(address, "451 4.3.0 Try again later")
        async with start(given) as provided:
            for order_id, name in enumerate(["ann", "bob", "cai", "ann"]):
                await confirm(host, provided, order_id=str(order_id), email=f"{name}@example.com")
            found: dict[str, float] = {}
            async with asyncio.timeout(20):
                while sum(found.values()) < 4 or found["mails_waiting"] != 1:
                    await asyncio.sleep(0.02)
                    await given.metrics.refresh()
                    found = {
                        sample.name.removesuffix("_total").removeprefix("_"): sample.value
                        for metric in given.metrics.collect()
                        for sample in metric.samples
                    }
    assert found == {"mails_sent": 2, "mails_failed": 1, "mails_waiting": 1}


async def test_a_setting_that_cannot_be_used_fails_the_start(tmp_path: Path) -> None:
    wrong = resources(f"sqlite:///{tmp_path}/n.db", Host(), smtp="http://mail")
    with pytest.raises(SettingsError, match=r"notifications\.smtp"):
        async with start(wrong):
            raise AssertionError("it was started")


async def run(tmp_path: Path, *command: str) -> object:
    """Run a command as its command line does, and give the exit code."""
    return await asyncio.to_thread(
        commands,
        ["mails", *command, "--database", f"notifications=sqlite:///{tmp_path}/n.db"],
        result_action="return_value",
        exit_on_error=False,
    )


async def test_mails_are_listed_shown_and_sent_after_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host = Host()
    async with start(resources(f"sqlite:///{tmp_path}/n.db", host)) as provided:
        await confirm(host, provided)
    assert await run(tmp_path, "list") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(
        "+00:00  order-confirmed.1  ann@example.com  not_sent  no SMTP server was configured"
    )
    assert await run(tmp_path, "list", "--state", "sent") == 0
    assert capsys.readouterr().out == ""
    assert await run(tmp_path, "show", "order-confirmed.1") == 0
    assert "Total: 9.90 EUR" in capsys.readouterr().out
    assert await run(tmp_path, "retry", "order-confirmed.1") == 0
    assert await run(tmp_path, "list", "--state", "pending") == 0
    assert "order-confirmed.1 will be sent" in capsys.readouterr().out
    # It waits already.
    assert await run(tmp_path, "retry", "order-confirmed.1", "none") == 1
    assert "there is no mail 'none' that was not sent" in capsys.readouterr().err
    assert await run(tmp_path, "show", "none") == 1


async def test_its_dead_letters_are_those_of_its_own_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/n.db"
    async with start(resources(url, Host())) as provided:
        await leave_dead_letter("notifications", url, "1")
        registrations = [each for each in provided if isinstance(each, Registration)]
        api = NotificationsDeadLettersApiStub(strict_channel(*registrations))
        answer = await api.list_dead_letters(ListDeadLettersRequest(page_size=0, page_token=""))
        assert [each.event_id for each in answer.dead_letters] == ["1"]
