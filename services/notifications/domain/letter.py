"""What is written to somebody about an order.

Names come from the catalogue and may hold anything: in a letter they are one line of printable
characters, and in HTML they are escaped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

from services.notifications.domain.amount import shown_amount
from services.orders.records.messagebus import ConfirmedLine, OrderConfirmed

_LONGEST: Final = 300
"""Characters of a name that are shown."""

_LONGEST_LIST: Final = 500
"""Lines of an order that are listed; who has ordered more looks the order up."""


class Letter(msgspec.Struct, frozen=True):
    """A mail without addresses.

    Attributes:
        subject: one line.
        text: what it says, as plain text.
        html: the same as HTML.
    """

    subject: str
    text: str
    html: str


def confirmation(event: OrderConfirmed) -> Letter:
    """Tell that an order is paid for, what was bought, and for how much."""
    order_id = one_line(event.order_id)
    lines = event.lines[:_LONGEST_LIST]
    further = len(event.lines) - len(lines)
    more = [f"and {further} more items"] if further else []
    total = shown_amount(event.total)
    opening = f"Thank you. Your order {order_id} is confirmed."
    listed = [_listed(line) for line in lines]
    text = "\n".join(
        (opening, "", *(f"  {each}" for each in (*listed, *more)), "", f"Total: {total}", "")
    )
    rows = "".join(_row(line) for line in lines)
    note = "".join(f"<p>{each}</p>" for each in more)
    html = _page(
        f"<p>{escape(opening)}</p><table>{rows}</table>{note}"
        f"<p><strong>Total: {escape(total)}</strong></p>"
    )
    return Letter(subject=f"Your order {order_id} is confirmed", text=text, html=html)


def rejection(order_id: str) -> Letter:
    """Tell that an order came to nothing."""
    return _plain(
        f"Your order {one_line(order_id)} could not be completed",
        (
            f"We are sorry: your order {one_line(order_id)} could not be completed.",
            "You have not been charged, and nothing will be delivered.",
        ),
    )


def cancellation(order_id: str) -> Letter:
    """Tell that an order was cancelled."""
    return _plain(
        f"Your order {one_line(order_id)} is cancelled",
        (
            f"Your order {one_line(order_id)} is cancelled.",
            "What you may have paid is given back, and nothing will be delivered.",
        ),
    )


def one_line(text: str) -> str:
    """A text without anything that ends a line, cannot be seen or turns its direction."""
    kept = "".join(" " if _is_hidden(each) else each for each in text)
    return " ".join(kept.split())[:_LONGEST]


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _listed(line: ConfirmedLine) -> str:
    price = "" if line.unit_price is None else f", {shown_amount(line.unit_price)} each"
    return f"{line.quantity} x {_name(line)}{price}"


def _row(line: ConfirmedLine) -> str:
    price = "" if line.unit_price is None else shown_amount(line.unit_price)
    cells = (f"{line.quantity} x", _name(line), price)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _name(line: ConfirmedLine) -> str:
    return one_line(line.name or "") or one_line(line.sku)


def _plain(subject: str, sentences: Sequence[str]) -> Letter:
    text = "\n\n".join(sentences)
    html = _page("".join(f"<p>{escape(each)}</p>" for each in sentences))
    return Letter(subject=subject, text=f"{text}\n", html=html)


def _page(body: str) -> str:
    return f'<!doctype html><html><head><meta charset="utf-8"></head><body>{body}</body></html>\n'
