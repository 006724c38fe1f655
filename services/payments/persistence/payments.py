"""Moves payments from state to state, each move in one statement that says where it starts from.

    (none) → TAKING → TAKEN | DECLINED        TAKING, TAKEN → VOIDING → VOIDED
                                              (none), DECLINED → VOIDED

Two calls for one payment, in one process or in two, therefore cannot both make the same move.
"""

from __future__ import annotations

from typing import Final

from contract.v1.money import Money
from sqlalchemy import bindparam, case, literal, select, update
from sqlmodel import col

from seam.persistence import Command, Query, Session
from services.payments.persistence.tables import PaymentRow
from services.payments.records.messagebus import Payment, PaymentState


def _payment(  # noqa: PLR0917 (the columns of a row)
    payment_id: str,
    currency_code: str | None,
    minor_units: int | None,
    reference: str,
    state: int,
    decline_reason: str,
) -> Payment:
    amount = None
    if currency_code is not None and minor_units is not None:
        amount = Money(currency_code=currency_code, minor_units=minor_units)
    return Payment(
        payment_id=payment_id,
        amount=amount,
        reference=reference,
        state=PaymentState(state),
        decline_reason=decline_reason,
    )


_FIND: Final = Query(
    select(
        col(PaymentRow.payment_id),
        col(PaymentRow.currency_code),
        col(PaymentRow.minor_units),
        col(PaymentRow.reference),
        col(PaymentRow.state),
        col(PaymentRow.decline_reason),
    ).where(col(PaymentRow.payment_id) == bindparam("payment_id")),
    _payment,
)

_BEGIN: Final = Command(
    lambda insert: (
        insert(PaymentRow)
        .values(
            payment_id=bindparam("payment_id"),
            currency_code=bindparam("currency_code"),
            minor_units=bindparam("minor_units"),
            reference=bindparam("reference"),
            state=int(PaymentState.TAKING),
            decline_reason="",
        )
        .on_conflict_do_nothing()
    )
)

_SETTLE: Final = Command(
    update(PaymentRow)
    .where(
        col(PaymentRow.payment_id) == bindparam("of"),
        col(PaymentRow.state) == int(PaymentState.TAKING),
    )
    .values(state=bindparam("outcome"), decline_reason=bindparam("reason"))
)

# Money may be held, or may come to be held, in these states alone: the provider is asked for
# nothing before TAKING is committed, and keeps to what it has declined.
_MAY_HOLD: Final = (int(PaymentState.TAKING), int(PaymentState.TAKEN), int(PaymentState.VOIDING))

_BEGIN_VOID: Final = Query(
    lambda insert: (
        insert(PaymentRow)
        .values(
            payment_id=bindparam("payment_id"),
            currency_code=None,
            minor_units=None,
            reference="",
            state=int(PaymentState.VOIDED),
            decline_reason="",
        )
        .on_conflict_do_update(
            index_elements=["payment_id"],
            set_={
                "state": case(
                    (col(PaymentRow.state).in_(_MAY_HOLD), literal(int(PaymentState.VOIDING))),
                    else_=literal(int(PaymentState.VOIDED)),
                )
            },
        )
        .returning(col(PaymentRow.state))
    ),
    PaymentState,
)

_FINISH_VOID: Final = Command(
    update(PaymentRow)
    .where(
        col(PaymentRow.payment_id) == bindparam("of"),
        col(PaymentRow.state) == int(PaymentState.VOIDING),
    )
    .values(state=int(PaymentState.VOIDED))
)


class PaymentRepository:
    """Payments, in one session."""

    def __init__(self, session: Session) -> None:
        """Work in `session`, which the caller commits."""
        self._session = session

    async def find(self, payment_id: str) -> Payment | None:
        """A payment, or None."""
        return await self._session.fetch_one(_FIND, payment_id=payment_id)

    async def begin(self, payment_id: str, amount: Money, reference: str) -> bool:
        """Write down that money is about to be asked for; False when the id was used before."""
        written = await self._session.execute(
            _BEGIN,
            payment_id=payment_id,
            currency_code=amount.currency_code,
            minor_units=amount.minor_units,
            reference=reference,
        )
        return bool(written)

    async def settle(self, payment_id: str, outcome: PaymentState, reason: str = "") -> bool:
        """Write down what the provider has answered; False when the payment was not TAKING.

        Args:
            payment_id: the payment.
            outcome: TAKEN, DECLINED or VOIDED.
            reason: why it was declined.
        """
        return bool(
            await self._session.execute(_SETTLE, of=payment_id, outcome=int(outcome), reason=reason)
        )

    async def begin_void(self, payment_id: str) -> PaymentState:
        """Refuse a payment from now on, whether it is known or not.

        Returns:
            VOIDING when the provider may hold money, VOIDED when it cannot.
        """
        state = await self._session.fetch_one(_BEGIN_VOID, payment_id=payment_id)
        assert state is not None, "the statement gives a row"
        return state

    async def finish_void(self, payment_id: str) -> None:
        """Write down that the provider holds no money, and will take none."""
        await self._session.execute(_FINISH_VOID, of=payment_id)
