"""Answers other services that take money or give it back.

What is about to be asked of the provider is committed before it is asked, and what it has answered
afterwards; no transaction is open in between. So a process may end anywhere: the next call for the
payment finds where it stopped, asks the provider again under the same key, and goes on.
"""

from __future__ import annotations

from typing import Final

from contract.v1.money import Money

from seam.contract import Code, StatusError
from seam.persistence import Database
from services.payments.domain.payment import (
    check,
    check_id,
    check_repeated,
    check_taken,
    kept_reason,
)
from services.payments.persistence.payments import PaymentRepository
from services.payments.provider.provider import (
    Charged,
    Declined,
    PaymentProvider,
    ProviderUnavailableError,
)
from services.payments.records.messagebus import (
    GetPaymentRequest,
    Payment,
    PaymentNotFound,
    PaymentNotFoundError,
    PaymentState,
    TakePaymentRequest,
    TakePaymentResponse,
    VoidPaymentRequest,
    VoidPaymentResponse,
)

_AWAY: Final = "the payment provider of payments is not available"


class Payments:
    """Handler of `payments.v1.Payments`."""

    def __init__(self, database: Database, provider: PaymentProvider) -> None:
        """Keep payments in `database`, and the money with `provider`."""
        self._database = database
        self._provider = provider

    async def take_payment(self, request: TakePaymentRequest) -> TakePaymentResponse:
        """Hold money, once for each payment id."""
        amount = check(request)
        payment = await self._begin(request)
        check_repeated(payment, amount)
        if payment.state is PaymentState.TAKING:
            payment = await self._charge(payment, amount)
        check_taken(payment)
        return TakePaymentResponse(payment_id=request.payment_id)

    async def void_payment(self, request: VoidPaymentRequest) -> VoidPaymentResponse:
        """Hold no money for a payment, and refuse it from now on."""
        check_id(request.payment_id)
        async with self._database.transaction() as transaction:
            state = await PaymentRepository(transaction).begin_void(request.payment_id)
        if state is PaymentState.VOIDING:
            try:
                await self._provider.void(request.payment_id)
            except ProviderUnavailableError:
                raise StatusError(Code.UNAVAILABLE, _AWAY) from None
            await PaymentRepository(self._database).finish_void(request.payment_id)
        return VoidPaymentResponse()

    async def get_payment(self, request: GetPaymentRequest) -> Payment:
        """What is known of a payment."""
        check_id(request.payment_id)
        payment = await PaymentRepository(self._database).find(request.payment_id)
        if payment is None:
            raise PaymentNotFoundError(PaymentNotFound(payment_id=request.payment_id))
        return payment

    async def _begin(self, request: TakePaymentRequest) -> Payment:
        """The payment as it is written down, which it is from now on."""
        async with self._database.transaction() as transaction:
            payments = PaymentRepository(transaction)
            await payments.begin(request.payment_id, request.amount, request.reference)
            return _known(await payments.find(request.payment_id))

    async def _charge(self, payment: Payment, amount: Money) -> Payment:
        """The payment after the provider has answered, whoever has written that down."""
        try:
            answer = await self._provider.charge(payment.payment_id, amount, payment.reference)
        except ProviderUnavailableError:
            raise StatusError(Code.UNAVAILABLE, _AWAY) from None
        outcome, reason = PaymentState.VOIDED, ""
        if isinstance(answer, Charged):
            outcome = PaymentState.TAKEN
        elif isinstance(answer, Declined):
            outcome, reason = PaymentState.DECLINED, kept_reason(answer.reason)
        async with self._database.transaction() as transaction:
            payments = PaymentRepository(transaction)
            # Unless somebody voids the payment meanwhile: then they see to it that nothing is held.
            await payments.settle(payment.payment_id, outcome, reason)
            return _known(await payments.find(payment.payment_id))


def _known(payment: Payment | None) -> Payment:
    assert payment is not None, "payments are never deleted"
    return payment
