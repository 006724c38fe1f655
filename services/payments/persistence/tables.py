"""Tables of payments."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from seam.persistence import Text
from services.payments.domain.payment import (
    MAXIMUM_ID_LENGTH,
    MAXIMUM_REASON_LENGTH,
    MAXIMUM_REFERENCE_LENGTH,
)


class Table(SQLModel, registry=registry(metadata=MetaData(schema="payments"))):
    """Base of the tables of payments, in their schema."""


class PaymentRow(Table, table=True):
    """One payment, from before the provider is asked for the money."""

    __tablename__ = "payment"

    payment_id: str = Field(
        sa_column=Column(Text("payment_id", MAXIMUM_ID_LENGTH), primary_key=True)
    )
    # Neither is known of a payment that was voided before it was asked for.
    currency_code: str | None = Field(sa_column=Column(Text("currency_code", 3), nullable=True))
    minor_units: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    reference: str = Field(
        sa_column=Column(Text("reference", MAXIMUM_REFERENCE_LENGTH), nullable=False)
    )
    state: int
    decline_reason: str = Field(
        sa_column=Column(Text("decline_reason", MAXIMUM_REASON_LENGTH), nullable=False)
    )
