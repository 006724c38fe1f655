from __future__ import annotations

import pytest

from services.customer_chat.domain.message import WINDOW, is_too_soon


@pytest.mark.parametrize(
    ("now", "before", "refused"),
    [
        (5, None, False),
        (5, 5, True),
        (WINDOW + 4, 5, True),
        (WINDOW + 5, 5, False),
        (4, 5, False),
    ],
)
def test_so_much_is_said_in_a_while_and_no_more(
    now: int, before: int | None, refused: bool
) -> None:
    assert is_too_soon(now, before) is refused
