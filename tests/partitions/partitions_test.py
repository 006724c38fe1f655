from __future__ import annotations

import pytest

from tests.partitions.partitions import (
    Partition,
    all_apart,
    all_partitions,
    each_alone,
    each_pair,
)


@pytest.mark.parametrize(("services", "number"), [("", 1), ("a", 1), ("abc", 5), ("abcde", 52)])
def test_there_are_as_many_partitions_as_the_bell_number_says(services: str, number: int) -> None:
    found = list(all_partitions(services))
    assert len({frozenset(partition) for partition in found}) == len(found) == number
    for partition in found:
        assert sorted("".join("".join(block) for block in partition)) == sorted(services)


def test_the_first_partition_is_the_monolith() -> None:
    assert next(iter(all_partitions("abcde"))) == (tuple("abcde"),)


def test_each_service_and_each_two_are_broken_out_and_all_are_apart() -> None:
    singles = [(frozenset("abcd") - {name}, frozenset(name)) for name in "abcd"]
    assert [_as_sets(each) for each in each_alone("abcd")] == singles
    pairs = [_as_sets(each) for each in each_pair("abcd")]
    assert (frozenset("cd"), frozenset("ab")) in pairs
    assert len(set(pairs)) == len(pairs) == 6
    assert all(rest | out == frozenset("abcd") and len(out) == 2 for rest, out in pairs)
    assert _as_sets(all_apart("abcd")) == tuple(frozenset(name) for name in "abcd")


def _as_sets(partition: Partition) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(block) for block in partition)
