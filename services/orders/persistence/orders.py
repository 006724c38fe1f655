"""Reads and writes orders.

An order is found by its owner alone, and one that was placed by nobody who was signed in, by who
knows its identity. Statements see to that: they know who asks. What an order's saga does with it,
and what keeps a cart from being sold twice, is the same whoever the owner is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from contract.v1.money import Money
from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlmodel import col

from seam.call import current_principal
from seam.persistence import Command, Query, Session, current_subject, one_of
from seam.sagas import Reason
from services.orders.domain.purchase import Purchase
from services.orders.domain.rejection import rejection_of
from services.orders.domain.timeline import time_of
from services.orders.persistence.tables import OrderLineRow, OrderRow
from services.orders.records.api import OrderLine, OrderState, OrderSummary, Rejection

_SOLD: Final = (OrderState.PENDING, OrderState.CONFIRMED, OrderState.CANCELLING)


class StoredOrder(msgspec.Struct, frozen=True):
    """An order without its lines and what has happened to it.

    Attributes:
        order_id: its identity.
        cart_id: the cart that it was placed from.
        state: how far it has come.
        placed_at: when it was placed, in microseconds since the epoch.
        total: what it costs.
        rejection: why it was rejected.
        email: where to write to about it; "" for nowhere.
    """

    order_id: str
    cart_id: str
    state: OrderState
    placed_at: int
    total: Money
    rejection: Rejection | None
    email: str


class Recipient(msgspec.Struct, frozen=True):
    """Who is told of an order.

    Attributes:
        email: where to write to; None for nowhere.
        user_id: who placed it; None of somebody who was not signed in, or who has left.
    """

    email: str | None
    user_id: str | None


def _order(  # noqa: PLR0917 (the columns of a row)
    order_id: str,
    cart_id: str,
    state: int,
    placed_at: int,
    currency_code: str,
    total: int,
    rejection: str | None,
    email: str,
) -> StoredOrder:
    reason = None if rejection is None else msgspec.json.decode(rejection, type=Reason)
    return StoredOrder(
        order_id=order_id,
        cart_id=cart_id,
        state=OrderState(state),
        placed_at=placed_at,
        total=Money(currency_code=currency_code, minor_units=total),
        rejection=None if reason is None else rejection_of(reason),
        email=email,
    )


def _recipient(email: str, owner: str | None) -> Recipient:
    return Recipient(email=email or None, user_id=owner or None)


def _summary(  # noqa: PLR0917 (the columns of a row)
    order_id: str, cart_id: str, state: int, placed_at: int, currency_code: str, total: int
) -> OrderSummary:
    return OrderSummary(
        order_id=order_id,
        cart_id=cart_id,
        state=OrderState(state),
        placed_at=time_of(placed_at),
        total=Money(currency_code=currency_code, minor_units=total),
    )


def _count_and_newest(count: int, newest: str | None) -> tuple[int, str]:
    return count, newest or ""


def _line(sku: str, name: str, quantity: int, unit_price: int, currency_code: str) -> OrderLine:
    return OrderLine(
        sku=sku,
        name=name,
        quantity=quantity,
        unit_price=Money(currency_code=currency_code, minor_units=unit_price),
        line_total=Money(currency_code=currency_code, minor_units=quantity * unit_price),
    )


_SUMMARY_COLUMNS: Final = (
    col(OrderRow.order_id),
    col(OrderRow.cart_id),
    col(OrderRow.state),
    col(OrderRow.placed_at),
    col(OrderRow.currency_code),
    col(OrderRow.total),
)
_ADD: Final = Command(
    lambda insert: (
        insert(OrderRow)
        .values(
            order_id=bindparam("order_id"),
            idempotency_key=bindparam("idempotency_key"),
            cart_id=bindparam("cart_id"),
            cart_revision=bindparam("cart_revision"),
            state=OrderState.PENDING.value,
            currency_code=bindparam("currency_code"),
            total=bindparam("total"),
            placed_at=bindparam("placed_at"),
            was_confirmed=False,
            email=bindparam("email"),
            owner=current_subject(),
        )
        .on_conflict_do_nothing()
    )
)
_ADD_LINE: Final = Command(
    insert(OrderLineRow).values(
        order_id=bindparam("order_id"),
        position=bindparam("position"),
        sku=bindparam("sku"),
        name=bindparam("name"),
        quantity=bindparam("quantity"),
        unit_price=bindparam("unit_price"),
    )
)
_FIND: Final = Query(
    select(*_SUMMARY_COLUMNS, col(OrderRow.rejection), col(OrderRow.email)).where(
        col(OrderRow.order_id) == bindparam("of"),
        or_(col(OrderRow.owner) == "", col(OrderRow.owner) == current_subject()),
    ),
    _order,
)
_BY_KEY: Final = Query(
    select(*_SUMMARY_COLUMNS, col(OrderRow.rejection), col(OrderRow.email)).where(
        col(OrderRow.idempotency_key) == bindparam("key")
    ),
    _order,
)
_OF_CART: Final = Query(
    select(*_SUMMARY_COLUMNS)
    .where(
        col(OrderRow.cart_id) == bindparam("of"),
        col(OrderRow.state).in_([state.value for state in _SOLD]),
        or_(
            col(OrderRow.cart_revision) == bindparam("revision"),
            col(OrderRow.state) == OrderState.PENDING.value,
        ),
    )
    .order_by(col(OrderRow.order_id).desc())
    .limit(1),
    _summary,
)
_CONFIRMED_OF_CART: Final = Query(
    select(func.count(), func.max(OrderRow.order_id)).where(
        col(OrderRow.cart_id) == bindparam("of"), col(OrderRow.was_confirmed)
    ),
    _count_and_newest,
)
_LINES: Final = Query(
    select(
        col(OrderLineRow.sku),
        col(OrderLineRow.name),
        col(OrderLineRow.quantity),
        col(OrderLineRow.unit_price),
        col(OrderRow.currency_code),
    )
    .join(OrderRow, col(OrderRow.order_id) == col(OrderLineRow.order_id))
    .where(col(OrderLineRow.order_id) == bindparam("of"))
    .order_by(col(OrderLineRow.position)),
    _line,
)
# For those who look after all orders, whoever owns them.
_SUMMARIES: Final = Query(
    select(*_SUMMARY_COLUMNS).where(one_of(col(OrderRow.order_id), "order_ids")), _summary
)
# Who is not signed in has no list: they know their orders one by one.
_IS_MINE: Final = and_(col(OrderRow.owner) == current_subject(), col(OrderRow.owner) != "")
_RECIPIENT: Final = Query(
    select(col(OrderRow.email), col(OrderRow.owner)).where(
        col(OrderRow.order_id) == bindparam("of")
    ),
    _recipient,
)
_NEWEST: Final = Query(
    select(*_SUMMARY_COLUMNS)
    .where(_IS_MINE)
    .order_by(col(OrderRow.order_id).desc())
    .limit(bindparam("most")),
    _summary,
)
_OLDER: Final = Query(
    select(*_SUMMARY_COLUMNS)
    .where(col(OrderRow.order_id) < bindparam("than"), _IS_MINE)
    .order_by(col(OrderRow.order_id).desc())
    .limit(bindparam("most")),
    _summary,
)


def _moving(state: OrderState, *sources: OrderState) -> Command:
    """The command that brings an order from one of `sources` to `state`."""
    values: dict[str, object] = {"state": state.value}
    if state is OrderState.CONFIRMED:
        values["was_confirmed"] = True
    if state is OrderState.REJECTED:
        values["rejection"] = bindparam("why")
    return Command(
        update(OrderRow)
        .where(
            col(OrderRow.order_id) == bindparam("of"),
            col(OrderRow.state).in_([source.value for source in sources]),
        )
        .values(values)
    )


_CONFIRM: Final = _moving(OrderState.CONFIRMED, OrderState.PENDING)
_REJECT: Final = _moving(OrderState.REJECTED, OrderState.PENDING)
_CANCELLING: Final = _moving(OrderState.CANCELLING, OrderState.PENDING, OrderState.CONFIRMED)
_CANCELLED: Final = _moving(OrderState.CANCELLED, OrderState.CANCELLING)
# The key names the owner, too.
_DISOWN: Final = Command(
    update(OrderRow)
    .where(col(OrderRow.owner) == bindparam("gone"))
    .values(owner=None, email="", idempotency_key=OrderRow.order_id)
)


class OrderRepository:
    """Orders, in one session."""

    def __init__(self, session: Session) -> None:
        """Work in `session`."""
        self._session = session

    async def add(
        self, purchase: Purchase, idempotency_key: str, placed_at: int, email: str = ""
    ) -> bool:
        """Write a new order of who asks; False when their key is taken or its cart is sold.

        Waits for another transaction that writes the same to end.

        Args:
            purchase: what is bought.
            idempotency_key: the key of the request.
            placed_at: now, in microseconds since the epoch.
            email: where to write to about it; "" for nowhere.
        """
        added = await self._session.execute(
            _ADD,
            order_id=purchase.order_id,
            idempotency_key=_own(idempotency_key),
            cart_id=purchase.cart_id,
            cart_revision=purchase.cart_revision,
            currency_code=purchase.currency_code,
            total=purchase.total,
            placed_at=placed_at,
            email=email,
        )
        if added:
            await self._session.execute_many(
                _ADD_LINE,
                [
                    {
                        "order_id": purchase.order_id,
                        "position": position,
                        "sku": line.sku,
                        "name": line.name,
                        "quantity": line.quantity,
                        "unit_price": line.unit_price,
                    }
                    for position, line in enumerate(purchase.lines)
                ],
            )
        return bool(added)

    async def find(self, order_id: str) -> StoredOrder | None:
        """One order, if who asks may see it."""
        return await self._session.fetch_one(_FIND, of=order_id)

    async def by_key(self, idempotency_key: str) -> StoredOrder | None:
        """The order that a key of who asks names."""
        return await self._session.fetch_one(_BY_KEY, key=_own(idempotency_key))

    async def of_cart(self, cart_id: str, revision: int) -> str | None:
        """The order that has what a cart holds at a revision, or keeps it from being ordered."""
        found = await self._session.fetch_one(_OF_CART, of=cart_id, revision=revision)
        return None if found is None else found.order_id

    async def confirmed_of_cart(self, cart_id: str) -> tuple[int, str]:
        """How many orders of a cart were ever confirmed, and the id of the newest, if any."""
        found = await self._session.fetch_one(_CONFIRMED_OF_CART, of=cart_id)
        return found or (0, "")

    async def recipient(self, order_id: str) -> Recipient:
        """Who is told of an order, whoever asks."""
        return await self._session.fetch_one(_RECIPIENT, of=order_id) or Recipient(None, None)

    async def lines(self, order_id: str) -> tuple[OrderLine, ...]:
        """The lines of an order, in the order of its cart."""
        return tuple(await self._session.fetch_all(_LINES, of=order_id))

    async def summaries(self, order_ids: Sequence[str]) -> dict[str, OrderSummary]:
        """Orders by their identities, whoever asks; unknown ones are left out."""
        found = await self._session.fetch_all(_SUMMARIES, order_ids=order_ids)
        return {each.order_id: each for each in found}

    async def page(self, before: str, most: int) -> tuple[OrderSummary, ...]:
        """The newest orders of who asks; with `before`, those that are older than that order."""
        if before:
            return tuple(await self._session.fetch_all(_OLDER, than=before, most=most))
        return tuple(await self._session.fetch_all(_NEWEST, most=most))

    async def confirm(self, order_id: str) -> None:
        """Let a pending order be confirmed."""
        await self._session.execute(_CONFIRM, of=order_id)

    async def begin_cancelling(self, order_id: str) -> None:
        """Let an order be on its way to be cancelled."""
        await self._session.execute(_CANCELLING, of=order_id)

    async def end(self, order_id: str, reason: Reason) -> bool:
        """Let an order be cancelled, if somebody wants that, or rejected.

        Returns:
            Whether it is cancelled.
        """
        if await self._session.execute(_CANCELLED, of=order_id):
            return True
        why = msgspec.json.encode(reason).decode()
        await self._session.execute(_REJECT, of=order_id, why=why)
        return False

    async def disown(self, owner: str) -> None:
        """Keep the orders of somebody who has left, and not whose they were."""
        await self._session.execute(_DISOWN, gone=owner)


def _own(idempotency_key: str) -> str:
    """A key as it is stored: that of one owner is not that of another, whatever they choose."""
    owner = current_principal().subject
    return f"{owner}\n{idempotency_key}" if owner else idempotency_key
