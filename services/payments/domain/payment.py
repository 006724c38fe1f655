"""What a payment must look like, and what it answers in each of its states."""

from __future__ import annotations

import re
from typing import Final

from contract.v1.money import Money
from iso4217 import Currency

from seam.persistence import text_refusal
from services.payments.records.messagebus import (
    InvalidPayment,
    InvalidPaymentError,
    Payment,
    PaymentConflict,
    PaymentConflictError,
    PaymentDeclined,
    PaymentDeclinedError,
    PaymentState,
    PaymentVoided,
    PaymentVoidedError,
    TakePaymentRequest,
)

MAXIMUM_ID_LENGTH: Final = 64
MAXIMUM_REFERENCE_LENGTH: Final = 200
MAXIMUM_MINOR_UNITS: Final = 1_000_000_000_000
MAXIMUM_REASON_LENGTH: Final = 200

# It travels in a header of HTTP.
_ID: Final = re.compile(r"[!-~]+")


def check(request: TakePaymentRequest) -> Money:
    """Check that a request can be a payment.

    Returns:
        The amount.

    Raises:
        InvalidPaymentError: it cannot; names the field and what was expected.
    """
    check_id(request.payment_id)
    amount = request.amount
    try:
        Currency(amount.currency_code)
    except ValueError:
        raise _invalid("amount.currency_code", "expected a code of ISO 4217") from None
    if not 1 <= amount.minor_units <= MAXIMUM_MINOR_UNITS:
        expected = f"is {amount.minor_units}; expected 1 to {MAXIMUM_MINOR_UNITS}"
        raise _invalid("amount.minor_units", expected)
    reason = text_refusal(request.reference, MAXIMUM_REFERENCE_LENGTH)
    if reason is not None:
        raise _invalid("reference", reason)
    return amount


def check_id(payment_id: str) -> None:
    """Check that a text can be the id of a payment.

    Raises:
        InvalidPaymentError: it cannot.
    """
    reason = text_refusal(payment_id, MAXIMUM_ID_LENGTH, minimum=1)
    if reason is None and not _ID.fullmatch(payment_id):
        reason = "expected visible ASCII characters"
    if reason is not None:
        raise _invalid("payment_id", reason)


def check_repeated(payment: Payment, amount: Money) -> None:
    """Check that a payment that is there already may be asked for with `amount`.

    Raises:
        PaymentConflictError: it was another amount.
    """
    if payment.amount is not None and payment.amount != amount:
        raise PaymentConflictError(PaymentConflict(payment_id=payment.payment_id))


def check_taken(payment: Payment) -> None:
    """Check that the money of a payment is held, once its outcome is known.

    Raises:
        PaymentDeclinedError: the provider has refused.
        PaymentVoidedError: the payment was voided.
    """
    if payment.state is PaymentState.TAKEN:
        return
    if payment.state is PaymentState.DECLINED:
        raise PaymentDeclinedError(
            PaymentDeclined(payment_id=payment.payment_id, reason=payment.decline_reason)
        )
    raise PaymentVoidedError(PaymentVoided(payment_id=payment.payment_id))


def kept_reason(reason: str) -> str:
    """What is kept of a provider's reason, which may be any text: one line of bounded length."""
    line = "".join(each if each.isprintable() else " " for each in reason)
    return line[:MAXIMUM_REASON_LENGTH]


def _invalid(field: str, reason: str) -> InvalidPaymentError:
    return InvalidPaymentError(InvalidPayment(field=field, reason=reason))
