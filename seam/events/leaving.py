"""Says so when services leave a broker whose streams may still hold something for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from seam.contract import StatusError
from seam.events.policy import Policy
from seam.events.statements import statements_of
from seam.events.subscriber import Subscriber

log = logging.getLogger(__name__)


async def leave_streams(subscribers: Iterable[Subscriber], policy: Policy) -> None:
    """Forget how far subscribers have read streams, in a process that has no broker any more.

    The log has a warning of each stream, once. Nothing is lost with a cursor: without one a stream
    is read from its beginning, and what has had its effect is left alone.
    """
    for subscriber in subscribers:
        failures = 0
        while True:
            try:
                await _leave(subscriber)
                break
            except StatusError:
                # The database's own outage is in the log.
                failures += 1
                await asyncio.sleep(policy.pause(failures))


async def _leave(subscriber: Subscriber) -> None:
    cursor = statements_of(subscriber.service).cursor
    read = await subscriber.database.fetch_all(cursor.all)
    for owner in sorted({owner for owner, _, _ in read}):
        if await subscriber.database.execute(cursor.forget, of=owner):
            log.warning(
                "%s has read the events of %s through a broker, and the topology names none now: "
                "it does not get what the stream may still hold. Unless `events lag` had said that "
                "nothing was unread, start again with the broker; %s then begins with the oldest "
                "event of the stream and leaves alone what it has had",
                subscriber.service,
                owner,
                subscriber.service,
            )
