"""Writes to people about their orders, once about each end of each order.

Only the mail is written here, in the transaction of the event; `sending` hands it to a server.
"""

from __future__ import annotations

import time

from seam.events import Subscription, subscribe
from seam.persistence import Transaction
from services.notifications.domain.letter import (
    Letter,
    cancellation,
    confirmation,
    one_line,
    rejection,
)
from services.notifications.persistence.mails import MailRepository, MailState
from services.orders.records.messagebus import OrderCancelled, OrderConfirmed, OrderRejected
from services.orders.records.messagebus_events import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_REJECTED,
)


class EndedOrders:
    """What is done when an order has ended."""

    def __init__(self, *, sends: bool) -> None:
        """Write mails, which are sent if there is a server for them."""
        self._state = MailState.PENDING if sends else MailState.NOT_SENT

    def subscriptions(self) -> tuple[Subscription, ...]:
        """The events of orders, and what is done with them."""
        return (
            subscribe(ORDER_CONFIRMED, self.on_confirmed),
            subscribe(ORDER_REJECTED, self.on_rejected),
            subscribe(ORDER_CANCELLED, self.on_cancelled),
        )

    async def on_confirmed(self, event: OrderConfirmed, transaction: Transaction) -> None:
        """Confirm an order."""
        await self._write("order-confirmed", event, confirmation(event), transaction)

    async def on_rejected(self, event: OrderRejected, transaction: Transaction) -> None:
        """Tell that an order came to nothing."""
        await self._write("order-rejected", event, rejection(event.order_id), transaction)

    async def on_cancelled(self, event: OrderCancelled, transaction: Transaction) -> None:
        """Tell that an order was cancelled."""
        await self._write("order-cancelled", event, cancellation(event.order_id), transaction)

    async def _write(
        self,
        about: str,
        event: OrderConfirmed | OrderRejected | OrderCancelled,
        letter: Letter,
        transaction: Transaction,
    ) -> None:
        if not event.email:
            return
        await MailRepository(transaction).add(
            f"{about}.{one_line(event.order_id)}",
            user_id=event.user_id,
            recipient=event.email,
            letter=letter,
            state=self._state,
            reason="" if self._state is MailState.PENDING else "no SMTP server was configured",
            now=time.time_ns() // 1000,
        )
