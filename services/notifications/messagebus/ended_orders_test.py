"""Each end of an order is written about once, and to those alone who gave an address."""

from __future__ import annotations

import pytest
from contract.v1.money import Money

from seam.contract import InvalidArgumentError
from seam.persistence import Database
from services.authentication.records.messagebus import UserDeleted
from services.notifications.messagebus.deleted_users import forget_their_mails
from services.notifications.messagebus.ended_orders import EndedOrders
from services.notifications.persistence.mails import Mail, MailRepository, MailState
from services.orders.records.messagebus import (
    ConfirmedLine,
    OrderCancelled,
    OrderConfirmed,
    OrderRejected,
)


def confirmed(order_id: str, email: str | None, user_id: str | None = None) -> OrderConfirmed:
    return OrderConfirmed(
        order_id=order_id,
        cart_id="mine",
        cart_revision=1,
        lines=(ConfirmedLine(sku="MUG", quantity=1),),
        total=Money(currency_code="EUR", minor_units=990),
        email=email,
        user_id=user_id,
    )


async def tell(
    database: Database,
    *events: OrderConfirmed | OrderRejected | OrderCancelled,
    sends: bool = True,
) -> None:
    handlers = {each.event.type: each.handler for each in EndedOrders(sends=sends).subscriptions()}
    for event in events:
        async with database.transaction() as transaction:
            await handlers[f"orders.v1.{type(event).__name__}"](event, transaction)


async def written(database: Database) -> list[Mail]:
    found = await MailRepository(database).newest(list(MailState), 100)
    return list(reversed(found))


async def test_there_is_one_mail_for_each_end_of_an_order(database: Database) -> None:
    email = "ann@example.com"
    event = confirmed("1", email)
    await tell(
        database,
        event,
        event,
        OrderCancelled(order_id="1", cart_id="mine", email=email),
        OrderRejected(order_id="2", cart_id="mine", email=email),
    )
    mails = await written(database)
    assert [mail.mail_id for mail in mails] == [
        "order-confirmed.1",
        "order-cancelled.1",
        "order-rejected.2",
    ]
    assert {(mail.recipient, mail.state, mail.reason) for mail in mails} == {
        (email, MailState.PENDING, "")
    }


@pytest.mark.parametrize("email", [None, ""])
async def test_nobody_is_written_to_without_an_address(
    database: Database, email: str | None
) -> None:
    await tell(database, confirmed("1", email), OrderRejected(order_id="2", cart_id="mine"))
    assert await written(database) == []


async def test_without_a_server_mails_are_written_down_and_say_so(database: Database) -> None:
    await tell(database, confirmed("1", "ann@example.com"), sends=False)
    (mail,) = await written(database)
    assert (mail.state, mail.reason) == (MailState.NOT_SENT, "no SMTP server was configured")


async def test_mails_of_a_user_who_has_left_are_forgotten(database: Database) -> None:
    await tell(
        database,
        confirmed("1", "ann@example.com", "ann"),
        confirmed("2", "bob@example.com", "bob"),
        confirmed("3", "someone@example.com"),
    )
    async with database.transaction() as transaction:
        await forget_their_mails(UserDeleted(user_id="ann"), transaction)
    assert [mail.mail_id for mail in await written(database)] == [
        "order-confirmed.2",
        "order-confirmed.3",
    ]


@pytest.mark.parametrize("email", ["a" * 321, "a\0b@example.com"])
async def test_an_address_that_cannot_be_stored_fails_its_event_alone(
    database: Database, email: str
) -> None:
    with pytest.raises(InvalidArgumentError, match="recipient"):
        await tell(database, confirmed("1", email))
    assert await written(database) == []
