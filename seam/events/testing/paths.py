"""The ways that events can take from the publisher to the subscriber, for tests of all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from seam.events.broker import connected
from seam.events.host import delivering
from seam.events.policy import Policy
from seam.events.subscription import Subscription
from seam.events.testing.shop import publisher, subscriber
from seam.persistence import Database


@asynccontextmanager
async def path(
    sales: Database,
    ledger: Database,
    policy: Policy,
    *,
    broker: str | None = None,
    subscription: Subscription | None = None,
    together: bool = False,
) -> AsyncIterator[None]:
    """Deliver what `sales` publishes to `ledger`.

    Args:
        sales: the publisher's database.
        ledger: the subscriber's.
        policy: how patient to be.
        broker: URL of the broker, if there is one; then each is as in a process of its own.
        subscription: what the subscriber does.
        together: whether both share a process in spite of a broker.
    """
    both = (publisher(sales), subscriber(ledger, subscription))
    async with AsyncExitStack() as stack:
        for part in [both] if broker is None or together else [(each,) for each in both]:
            connection = None
            if broker is not None:
                connection = await stack.enter_async_context(connected(broker))
            await stack.enter_async_context(delivering(part, connection, policy))
        yield
