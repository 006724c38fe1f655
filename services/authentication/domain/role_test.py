from __future__ import annotations

import pytest

from services.authentication.domain.role import is_role


@pytest.mark.parametrize("text", ["agent", "a", "shop-floor_2", "a" * 32])
def test_a_role_is_a_short_name(text: str) -> None:
    assert is_role(text)


@pytest.mark.parametrize("text", ["", "Agent", "1st", "a b", "a\n", "ä", "a" * 33, "\0", "-a"])
def test_what_is_no_role_is_told(text: str) -> None:
    assert not is_role(text)
