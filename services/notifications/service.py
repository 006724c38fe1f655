"""Composition root of the notifications: what they hear of, and what they are made of.

They call nobody, and answer the shop's people alone: about dead letters.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from seam.events import subscribe
from seam.events.dead_letter_api import DeadLetterApi
from seam.runtime import Provided, Resources, Service, main
from services.authentication.records.messagebus_events import USER_DELETED
from services.notifications.commands.mails import commands
from services.notifications.messagebus.deleted_users import forget_their_mails
from services.notifications.messagebus.ended_orders import EndedOrders
from services.notifications.persistence.mails import MailRepository
from services.notifications.persistence.migrations import MIGRATIONS
from services.notifications.persistence.tables import Table
from services.notifications.records.api_bus import register_notifications_dead_letters_api
from services.notifications.records.api_routes import NOTIFICATIONS_DEAD_LETTERS_API_HTTP
from services.notifications.sending.settings import server_location

log = logging.getLogger(__name__)


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Provided]]:
    """Open the database, send what waits, and listen."""
    location = server_location(resources.settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(resources.database(Table.metadata))
        mails = MailRepository(database)
        resources.metrics.gauge("mails_waiting", "Mails that are to be sent.", mails.count_waiting)
        if location is None:
            log.info("mails are written down and not sent: notifications.smtp names no server")
        else:
            # A shop on trial does without the client.
            from services.notifications.sending.sender import Sender  # noqa: PLC0415

            sender = Sender(database, location)
            resources.metrics.counter(
                "mails_sent", "Mails that a server has taken.", lambda: sender.sent
            )
            resources.metrics.counter(
                "mails_failed", "Mails that were given up.", lambda: sender.failed
            )
            await stack.enter_async_context(sender.running())
        yield (
            register_notifications_dead_letters_api(DeadLetterApi("notifications", database)),
            *EndedOrders(sends=location is not None).subscriptions(),
            subscribe(USER_DELETED, forget_their_mails),
        )


SERVICE = Service(
    name="notifications",
    start=start,
    http=(NOTIFICATIONS_DEAD_LETTERS_API_HTTP,),
    migrations=MIGRATIONS,
    commands=commands,
)

if __name__ == "__main__":
    main("notifications", (SERVICE,))
