from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seam.runtime.body_budget import BodyBudget


@given(st.lists(st.integers(0, 40)), st.integers(0, 100))
def test_what_is_taken_is_never_more_than_there_is_and_all_of_it_can_be_taken_again(
    sizes: list[int], maximum: int
) -> None:
    budget = BodyBudget(maximum)
    taken = [size for size in sizes if budget.take(size)]
    assert sum(taken) <= maximum
    assert not budget.take(maximum - sum(taken) + 1)
    for size in taken:
        budget.give_back(size)
    assert budget.take(maximum)
