"""Figures of several processes come to what one process would say."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from seam.runtime.figures import Figures, Sample, cumulative, figures_of, text_of, together


def process(*, asked: int, seconds: float, rows: int) -> list[Figures]:
    registry = CollectorRegistry()
    Counter("asked", "Requests.", ["route"], registry=registry).labels("/a").inc(asked)
    Histogram("took", "Seconds.", buckets=[1.0], registry=registry).observe(seconds)
    Gauge("rows", "Rows of a database.", registry=registry).set(rows)
    Gauge("process_open_fds", "Files.", registry=registry).set(4)
    return figures_of(registry)


def values(figures: list[Figures]) -> dict[str, float]:
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in figures
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_what_is_counted_is_added_up_and_what_is_shared_is_not() -> None:
    both = together([process(asked=2, seconds=0.5, rows=7), process(asked=3, seconds=1.5, rows=6)])
    assert values(both) == {
        "asked_total/a": 5,
        "took_bucket1.0": 1,
        "took_bucket+Inf": 2,
        "took_count": 2,
        "took_sum": 2,
        "rows": 7,
        "process_open_fds": 8,
    }


def test_what_is_left_of_a_process_is_what_it_has_counted() -> None:
    left = values(cumulative(process(asked=2, seconds=0.5, rows=7)))
    assert left["asked_total/a"] == 2
    assert not {"rows", "process_open_fds"} & left.keys()


def test_labels_that_one_process_alone_has_are_kept() -> None:
    one = Figures("n", "", "counter", (Sample("n_total", {"a": "1"}, 1),))
    other = Figures("n", "", "counter", (Sample("n_total", {"a": "2"}, 5),))
    assert values(together([[one], [other], []])) == {"n_total1": 1, "n_total2": 5}


@pytest.mark.parametrize("value", [0.1, float("inf"), float("nan"), 1e300, -3])
def test_the_text_is_that_of_prometheus_own_library(value: float) -> None:
    registry = CollectorRegistry()
    Gauge("g", 'Says "hello".\nTwice.', ["label"], registry=registry).labels('a"\\').set(value)
    Counter("c", "Counts.", registry=registry).inc(3)
    assert text_of(figures_of(registry)) == generate_latest(registry)
