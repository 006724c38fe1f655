from __future__ import annotations

import pytest

from tests.partitions.partitions import all_partitions, telling_partitions


@pytest.mark.parametrize(("services", "number"), [("", 1), ("a", 1), ("abc", 5), ("abcde", 52)])
def test_there_are_as_many_partitions_as_the_bell_number_says(services: str, number: int) -> None:
    found = list(all_partitions(services))
    assert len({frozenset(partition) for partition in found}) == len(found) == number
    for partition in found:
        assert sorted("".join("".join(block) for block in partition)) == sorted(services)


def test_the_first_partition_is_the_monolith() -> None:
    assert next(iter(all_partitions("abcde"))) == (tuple("abcde"),)


def test_each_service_and_each_two_are_broken_out_and_all_are_apart() -> None:
    found = [{frozenset(block) for block in each} for each in telling_partitions("abcd")]
    singles = [{frozenset("abcd") - {name}, frozenset(name)} for name in "abcd"]
    assert found[:4] == singles
    assert {frozenset("ab"), frozenset("cd")} in found
    assert found[-1] == {frozenset(name) for name in "abcd"}
    assert len(found) == 4 + 6 + 1
