from __future__ import annotations

import pytest

from seam.call import ANONYMOUS, Principal
from services.customer_chat.domain.seat import seat_of
from services.customer_chat.records.api import Participant

AGENT = frozenset({"agent"})


@pytest.mark.parametrize(
    ("subject", "roles", "seat"),
    [
        ("ann", frozenset(), Participant.CUSTOMER),
        ("ann", AGENT, Participant.CUSTOMER),
        ("bob", AGENT, Participant.AGENT),
        ("bob", frozenset(), None),
        ("bob", frozenset({"admin", "Agent"}), None),
        ("Ann", frozenset(), None),
    ],
)
def test_a_chat_is_its_customers_and_the_agents(
    subject: str, roles: frozenset[str], seat: Participant | None
) -> None:
    assert seat_of(Principal(subject, roles, "token"), "ann") is seat


@pytest.mark.parametrize("roles", [frozenset(), AGENT])
def test_nobody_has_no_chat_even_where_no_owner_is_known(roles: frozenset[str]) -> None:
    assert seat_of(ANONYMOUS, "") is None
    assert seat_of(Principal("", roles, "token"), "") is None
