from __future__ import annotations

import pytest
from contract.v1.money import Money
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.amount import shown_amount
from services.notifications.domain.letter import (
    Letter,
    cancellation,
    confirmation,
    one_line,
    rejection,
)
from services.notifications.domain.pace import delay_after
from services.orders.records.messagebus import ConfirmedLine, OrderConfirmed


def money(units: int, currency: str = "EUR") -> Money:
    return Money(currency_code=currency, minor_units=units)


def confirmed(*lines: ConfirmedLine, order_id: str = "1", total: int = 1_234_50) -> OrderConfirmed:
    return OrderConfirmed(
        order_id=order_id,
        cart_id="mine",
        cart_revision=1,
        lines=lines,
        total=money(total),
        email="ann@example.com",
    )


@pytest.mark.parametrize(
    ("units", "currency", "expected"),
    [
        (0, "EUR", "0.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (123_456, "EUR", "1,234.56 EUR"),
        (980, "JPY", "980 JPY"),
        (1_000_000, "JPY", "1,000,000 JPY"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (-250, "EUR", "-2.50 EUR"),
        (100, "???", "1.00 ???"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    units: int, currency: str, expected: str
) -> None:
    assert shown_amount(money(units, currency)) == expected


def test_a_confirmation_lists_what_was_bought_and_the_total() -> None:
    mug = ConfirmedLine(sku="MUG", quantity=2, name="Große Tasse", unit_price=money(990))
    # From before names and prices were told.
    old = ConfirmedLine(sku="PEN", quantity=1)
    letter = confirmation(confirmed(mug, old))
    assert letter.subject == "Your order 1 is confirmed"
    assert letter.text == (
        "Thank you. Your order 1 is confirmed.\n\n"
        "  2 x Große Tasse, 9.90 EUR each\n"
        "  1 x PEN\n\n"
        "Total: 1,234.50 EUR\n"
    )
    assert "<td>2 x</td><td>Große Tasse</td><td>9.90 EUR</td>" in letter.html


@pytest.mark.parametrize("write", [rejection, cancellation])
def test_other_letters_name_the_order(write: object) -> None:
    assert callable(write)
    letter = write("4711")
    assert isinstance(letter, Letter)
    for part in (letter.subject, letter.text, letter.html):
        assert "4711" in part


def test_names_are_one_line_and_escaped_in_html() -> None:
    name = "Mug\r\nBcc: eve@example.com\n\n<script>alert('x')</script>\u202e\u2028\0"
    line = ConfirmedLine(sku="MUG", quantity=1, name=name, unit_price=money(1))
    letter = confirmation(confirmed(line, order_id="1\r\nBcc: eve@example.com"))
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "\nBcc" not in letter.text
    assert "<script>" not in letter.html
    assert "\u202e" not in letter.text + letter.html


@given(st.text())
def test_whatever_a_name_holds_it_becomes_one_line_that_can_be_sent(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert len(line) <= 300
    line.encode()


def test_a_name_that_cannot_be_seen_is_replaced_by_the_sku() -> None:
    line = ConfirmedLine(sku="MUG", quantity=1, name="\u200b\n", unit_price=money(1))
    assert "1 x MUG, 0.01 EUR each" in confirmation(confirmed(line)).text


def test_an_order_of_very_many_lines_is_listed_in_part() -> None:
    lines = (ConfirmedLine(sku=f"S{number}", quantity=1, name="n" * 5_000) for number in range(600))
    letter = confirmation(confirmed(*lines))
    assert "and 100 more items" in letter.text
    assert len(letter.html) < 300_000


def test_a_mail_that_is_put_off_is_tried_ever_later_up_to_an_hour() -> None:
    delays = [delay_after(attempts) for attempts in (1, 2, 3, 10, 10_000)]
    assert delays == [60, 120, 240, 3_600, 3_600]
