"""How much of each part a kind of client shows."""

from __future__ import annotations

from typing import Final, NamedTuple

from services.home.records.api import Client


class Layout(NamedTuple):
    """What fits on a first page.

    Attributes:
        recent_orders: the most orders.
        popular_items: the most items.
    """

    recent_orders: int
    popular_items: int


WEB: Final = Layout(recent_orders=5, popular_items=12)
MOBILE: Final = Layout(recent_orders=2, popular_items=4)


def layout_of(client: Client) -> Layout:
    """The layout of a kind of client; one that is not known gets that of the web."""
    return MOBILE if client is Client.MOBILE else WEB
