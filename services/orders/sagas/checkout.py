"""The checkout: how an order that was placed becomes one that is confirmed, or comes to nothing.

    reserve stock  ->  take payment  ->  the order is confirmed, and others are told
         |                  |
    release stock  <-  void payment  ->  the order is rejected or cancelled, and others are told

The order's identity is that of its reservation and of its payment, so each step may be done again,
and undone whether or not it was done. Cancelling an order is undoing its checkout.

Events are told in the order of their cart: a cart has one pending order at a time, so the next one
is placed after this one was confirmed or rejected.
"""

from __future__ import annotations

from contract.v1.money import Money

from seam.events import publish
from seam.persistence import Transaction
from seam.sagas import Reason, RefusedError, Saga, Step
from services.inventory.records.messagebus import (
    OutOfStockError,
    ReleaseStockRequest,
    ReservationNotFoundError,
    ReserveStockRequest,
    Shortage,
    StockLine,
    UnknownItemError,
)
from services.inventory.records.messagebus_bus import InventoryStub
from services.orders.domain.purchase import Purchase
from services.orders.domain.rejection import out_of_stock, payment_declined
from services.orders.domain.timeline import RESERVE_STOCK, TAKE_PAYMENT
from services.orders.persistence.orders import OrderRepository
from services.orders.records.messagebus import (
    ConfirmedLine,
    OrderCancelled,
    OrderConfirmed,
    OrderRejected,
)
from services.orders.records.messagebus_events import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_REJECTED,
)
from services.payments.records.messagebus import (
    PaymentDeclinedError,
    TakePaymentRequest,
    VoidPaymentRequest,
)
from services.payments.records.messagebus_bus import PaymentsStub


class Checkout:
    """What the steps of a checkout do.

    Attributes:
        saga: the steps, in the order in which they happen.
    """

    def __init__(self, inventory: InventoryStub, payments: PaymentsStub) -> None:
        """Reserve at `inventory`, and take money by `payments`."""
        self._inventory = inventory
        self._payments = payments
        self.saga = Saga(
            "checkout",
            Purchase,
            steps=(
                Step(RESERVE_STOCK, do=self._reserve_stock, undo=self._release_stock),
                Step(TAKE_PAYMENT, do=self._take_payment, undo=self._void_payment),
            ),
            completed=self._confirm,
            compensated=self._reject,
        )

    async def _reserve_stock(self, purchase: Purchase) -> None:
        lines = tuple(StockLine(sku=line.sku, quantity=line.quantity) for line in purchase.lines)
        try:
            await self._inventory.reserve_stock(
                ReserveStockRequest(reservation_id=purchase.order_id, lines=lines)
            )
        except OutOfStockError as error:
            raise RefusedError(out_of_stock(error.record.shortages)) from None
        except UnknownItemError as error:
            # It has left the catalogue since the order was placed.
            (ordered,) = [line.quantity for line in lines if line.sku == error.record.sku]
            gone = Shortage(sku=error.record.sku, requested=ordered, available=0)
            raise RefusedError(out_of_stock([gone])) from None

    async def _release_stock(self, purchase: Purchase) -> None:
        try:
            await self._inventory.release_stock(
                ReleaseStockRequest(reservation_id=purchase.order_id)
            )
        except ReservationNotFoundError:
            # Nor can it be made from now on.
            return

    async def _take_payment(self, purchase: Purchase) -> None:
        if not purchase.total:
            return
        try:
            await self._payments.take_payment(
                TakePaymentRequest(
                    payment_id=purchase.order_id,
                    amount=_money(purchase),
                    reference=f"Order {purchase.order_id}",
                )
            )
        except PaymentDeclinedError as error:
            raise RefusedError(payment_declined(error.record.reason)) from None

    async def _void_payment(self, purchase: Purchase) -> None:
        if purchase.total:
            await self._payments.void_payment(VoidPaymentRequest(payment_id=purchase.order_id))

    async def _confirm(self, purchase: Purchase, transaction: Transaction) -> None:
        orders = OrderRepository(transaction)
        await orders.confirm(purchase.order_id)
        to = await orders.recipient(purchase.order_id)
        confirmed = OrderConfirmed(
            order_id=purchase.order_id,
            cart_id=purchase.cart_id,
            cart_revision=purchase.cart_revision,
            lines=tuple(
                ConfirmedLine(
                    sku=line.sku,
                    quantity=line.quantity,
                    name=line.name,
                    unit_price=Money(
                        currency_code=purchase.currency_code, minor_units=line.unit_price
                    ),
                )
                for line in purchase.lines
            ),
            total=_money(purchase),
            email=to.email,
            user_id=to.user_id,
        )
        await publish(transaction, ORDER_CONFIRMED, confirmed)

    async def _reject(self, purchase: Purchase, reason: Reason, transaction: Transaction) -> None:
        order_id, cart_id = purchase.order_id, purchase.cart_id
        orders = OrderRepository(transaction)
        is_cancelled = await orders.end(order_id, reason)
        to = await orders.recipient(order_id)
        if is_cancelled:
            cancelled = OrderCancelled(
                order_id=order_id, cart_id=cart_id, email=to.email, user_id=to.user_id
            )
            await publish(transaction, ORDER_CANCELLED, cancelled)
        else:
            rejected = OrderRejected(
                order_id=order_id, cart_id=cart_id, email=to.email, user_id=to.user_id
            )
            await publish(transaction, ORDER_REJECTED, rejected)


def _money(purchase: Purchase) -> Money:
    return Money(currency_code=purchase.currency_code, minor_units=purchase.total)
