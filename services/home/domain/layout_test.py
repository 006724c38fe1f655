from __future__ import annotations

import pytest

from services.home.domain.layout import MOBILE, WEB, layout_of
from services.home.records.api import Client


@pytest.mark.parametrize("client", [Client.UNSPECIFIED, Client.WEB, Client(77)])
def test_a_client_gets_the_layout_of_the_web_unless_it_is_a_phone(client: Client) -> None:
    assert layout_of(client) == WEB
    assert layout_of(Client.MOBILE) == MOBILE


def test_a_phone_shows_less_of_everything() -> None:
    assert all(few < many for few, many in zip(MOBILE, WEB, strict=True))
