"""However the shop is cut into processes, a client gets the answers of the monolith.

Each two services together have files of their own (`pairs_*_test.py`), which run side by side.
"""

from __future__ import annotations

import pytest

from tests.partitions.partitions import Partition, all_apart, each_alone
from tests.partitions.systems import NAMES, described, running, with_replicas_of
from tests.system.tour import Visited, tour


@pytest.mark.parametrize("partition", [*each_alone(NAMES), all_apart(NAMES)], ids=described)
def test_services_that_are_broken_out_answer_as_in_the_monolith(
    expected: list[Visited], partition: Partition
) -> None:
    with running(partition) as shop:
        assert tour(shop) == expected


def test_two_replicas_of_a_service_answer_as_the_monolith(expected: list[Visited]) -> None:
    with with_replicas_of("inventory") as shop:
        answers = tour(shop)
    # It has another database, which ranks by other figures.
    assert [each for each in answers if "/v1/search" not in each[1]] == [
        each for each in expected if "/v1/search" not in each[1]
    ]
