from __future__ import annotations

import pytest

from tests.partitions.partitions import Partition, each_pair
from tests.partitions.systems import NAMES, described, running
from tests.system.tour import Visited, tour

PAIRS = list(each_pair(NAMES))[2::3]


@pytest.mark.parametrize("partition", PAIRS, ids=described)
def test_two_services_that_are_broken_out_together_answer_as_in_the_monolith(
    expected: list[Visited], partition: Partition
) -> None:
    with running(partition) as shop:
        assert tour(shop) == expected
