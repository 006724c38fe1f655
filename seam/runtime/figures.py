"""Figures as they travel between processes, and what those of several come to together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

_CUMULATIVE: Final = frozenset({"counter", "histogram", "summary"})

_ADDED_UP: Final = frozenset(
    {"process_virtual_memory_bytes", "process_resident_memory_bytes", "process_open_fds"}
)
"""Gauges of what each process has for itself."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One figure."""

    name: str
    labels: Mapping[str, str]
    value: float


class Figures(msgspec.Struct, frozen=True):
    """All figures of one name.

    Attributes:
        name: the name.
        text: what they say, in one sentence.
        kind: the type that Prometheus gives them.
        samples: the figures.
    """

    name: str
    text: str
    kind: str
    samples: tuple[Sample, ...]


def figures_of(registry: CollectorRegistry) -> list[Figures]:
    """What the collectors of this process say now."""
    return [
        Figures(
            metric.name,
            metric.documentation,
            metric.type,
            tuple(Sample(each.name, each.labels, each.value) for each in metric.samples),
        )
        for metric in registry.collect()
    ]


def cumulative(figures: Iterable[Figures]) -> list[Figures]:
    """Those that are still true when their process has ended: what was counted."""
    return [each for each in figures if each.kind in _CUMULATIVE]


def together(of_processes: Iterable[Sequence[Figures]]) -> list[Figures]:
    """The figures of several processes that are alike, as if they were one.

    What each has counted or takes for itself is added up. Of anything else, such as rows of a
    database that all of them share, the greatest is taken.
    """
    families: dict[str, Figures] = {}
    samples: dict[str, dict[tuple[str, frozenset[tuple[str, str]]], Sample]] = {}
    for figures in of_processes:
        for family in figures:
            families.setdefault(family.name, family)
            found = samples.setdefault(family.name, {})
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                before = found.get(key)
                if before is not None:
                    sample = _joined(family, before, sample)  # noqa: PLW2901
                found[key] = sample
    return [
        msgspec.structs.replace(family, samples=tuple(samples[name].values()))
        for name, family in families.items()
    ]


def _joined(family: Figures, one: Sample, other: Sample) -> Sample:
    is_counted = family.kind in _CUMULATIVE and not one.name.endswith("_created")
    if is_counted or family.name in _ADDED_UP:
        value = one.value + other.value
    else:
        value = max(one.value, other.value)
    return Sample(one.name, one.labels, value)


class _Told:
    """A collector of figures that somebody else has collected."""

    def __init__(self, figures: Iterable[Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for figures in self._figures:
            metric = Metric(figures.name, figures.text, figures.kind)
            for sample in figures.samples:
                metric.add_sample(sample.name, dict(sample.labels), sample.value)
            yield metric


def text_of(figures: Iterable[Figures]) -> bytes:
    """Figures in the text format of Prometheus.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(figures))
    return generate_latest(registry)
