from __future__ import annotations

import pytest
from contract.v1.money import Money

from services.payments.domain.payment import (
    MAXIMUM_MINOR_UNITS,
    check,
    check_repeated,
    check_taken,
    kept_reason,
)
from services.payments.records.messagebus import (
    InvalidPayment,
    InvalidPaymentError,
    Payment,
    PaymentConflictError,
    PaymentDeclinedError,
    PaymentState,
    PaymentVoidedError,
    TakePaymentRequest,
)

EURO = Money(currency_code="EUR", minor_units=100)


def request(payment_id: str = "p", amount: Money = EURO, reference: str = "") -> TakePaymentRequest:
    return TakePaymentRequest(payment_id=payment_id, amount=amount, reference=reference)


def payment(state: PaymentState, amount: Money | None = EURO, reason: str = "") -> Payment:
    return Payment(payment_id="p", amount=amount, reference="", state=state, decline_reason=reason)


@pytest.mark.parametrize("payment_id", ["p", "p" * 64, "0198-ab.c:/?#%~!"])
@pytest.mark.parametrize("units", [1, MAXIMUM_MINOR_UNITS])
@pytest.mark.parametrize("reference", ["", "Order 7 of Zoë", "r" * 200])
def test_a_payment_has_an_id_that_a_header_can_carry_and_an_amount(
    payment_id: str, units: int, reference: str
) -> None:
    amount = Money(currency_code="JPY", minor_units=units)
    assert check(request(payment_id, amount, reference)) == amount


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        (request(""), "payment_id", "has 0 characters; expected 1 to 64"),
        (request("p" * 65), "payment_id", "has 65 characters; expected 1 to 64"),
        (request("a b"), "payment_id", "expected visible ASCII characters"),
        (request("ß"), "payment_id", "expected visible ASCII characters"),
        (request("a\n"), "payment_id", "expected visible ASCII characters"),
        (
            request(amount=Money(currency_code="EUR", minor_units=0)),
            "amount.minor_units",
            f"is 0; expected 1 to {MAXIMUM_MINOR_UNITS}",
        ),
        (
            request(amount=Money(currency_code="EUR", minor_units=-5)),
            "amount.minor_units",
            f"is -5; expected 1 to {MAXIMUM_MINOR_UNITS}",
        ),
        (
            request(amount=Money(currency_code="euro", minor_units=1)),
            "amount.currency_code",
            "expected a code of ISO 4217",
        ),
        (request(reference="r" * 201), "reference", "has 201 characters; expected 0 to 200"),
        (request(reference="\0"), "reference", "holds a NUL character"),
    ],
)
def test_what_cannot_be_a_payment_is_refused_with_field_and_reason(
    wrong: TakePaymentRequest, field: str, reason: str
) -> None:
    with pytest.raises(InvalidPaymentError) as caught:
        check(wrong)
    assert caught.value.record == InvalidPayment(field=field, reason=reason)


@pytest.mark.parametrize("other", [("EUR", 101), ("USD", 100)])
def test_a_payment_cannot_be_repeated_with_another_amount(other: tuple[str, int]) -> None:
    known = payment(PaymentState.TAKEN)
    check_repeated(known, EURO)
    with pytest.raises(PaymentConflictError):
        check_repeated(known, Money(currency_code=other[0], minor_units=other[1]))


def test_a_payment_that_was_voided_before_it_was_asked_for_has_no_amount_to_differ_from() -> None:
    check_repeated(payment(PaymentState.VOIDED, amount=None), EURO)


def test_money_is_held_in_one_state_and_the_others_say_why_it_is_not() -> None:
    check_taken(payment(PaymentState.TAKEN))
    with pytest.raises(PaymentDeclinedError, match="no funds"):
        check_taken(payment(PaymentState.DECLINED, reason="no funds"))
    for state in (PaymentState.VOIDING, PaymentState.VOIDED):
        with pytest.raises(PaymentVoidedError):
            check_taken(payment(state))


def test_a_providers_reason_is_kept_as_one_line_that_a_database_takes() -> None:
    assert kept_reason("no\0funds\n\ud800!" + "x" * 300) == "no funds  !" + "x" * 189
