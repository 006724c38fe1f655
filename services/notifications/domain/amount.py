"""Money as people read it."""

from __future__ import annotations

from contract.v1.money import Money
from iso4217 import Currency


def shown_amount(money: Money) -> str:
    """An amount with as many decimals as its currency has, such as `1,234.50 EUR` or `980 JPY`."""
    decimals = _decimals(money.currency_code)
    sign = "-" if money.minor_units < 0 else ""
    whole, rest = divmod(abs(money.minor_units), 10**decimals)
    fraction = f".{rest:0{decimals}}" if decimals else ""
    return f"{sign}{whole:,}{fraction} {money.currency_code}"


def _decimals(code: str) -> int:
    try:
        return Currency(code).exponent or 0
    except ValueError:
        return 2
