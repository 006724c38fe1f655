from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from services.customer_chat.domain.chat_id import LENGTH, new_chat_id

MOMENTS = st.integers(0, 2**48 * 1000 - 1)


@given(MOMENTS, MOMENTS)
def test_later_chats_have_greater_ids(one: int, other: int) -> None:
    earlier, later = sorted((one, other))
    # The rest is chance.
    assert new_chat_id(earlier)[:18] <= new_chat_id(later)[:18]


@given(MOMENTS)
def test_an_id_is_a_uuid_of_version_7(at: int) -> None:
    made = new_chat_id(at)
    assert len(made) == LENGTH
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (7, uuid.RFC_4122)


def test_nobody_can_guess_an_id() -> None:
    assert len({new_chat_id(1) for _ in range(1_000)}) == 1_000
