"""Where services stand on the map, and how its lines run.

A layered layout: who depends on another stands above it. Lines that pass a layer have a place of
their own in it, so that none runs through a service. Layers are ordered so that lines seldom cross,
and moved so that lines are short. The same graph always gives the same picture.

Source: K. Sugiyama, S. Tagawa, M. Toda, Methods for Visual Understanding of Hierarchical System
Structures, 1981, https://doi.org/10.1109/TSMC.1981.4308636.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Line", "Map", "lay_out"]

WIDTH: Final = 150.0
HEIGHT: Final = 44.0
_LANE: Final = 18.0
_GAP: Final = 26.0
_LEVEL: Final = 118.0
_ROUNDS: Final = 24

Point = tuple[float, float]

_Slot = tuple[str, int]
"""A service, `("orders", -1)`, or the lane of the line of a number through a layer."""


@dataclass(frozen=True)
class Line:
    """A line between two services.

    Attributes:
        upper: the service that depends on the other; the line leaves it at its lower edge.
        lower: the other.
        kind: sets lines between the same two apart.
    """

    upper: str
    lower: str
    kind: str


@dataclass(frozen=True)
class Map:
    """Where everything is, in the units of the picture.

    Attributes:
        size: width and height.
        services: the centre of each service.
        lines: the points that each line passes, upper end first.
    """

    size: Point
    services: Mapping[str, Point]
    lines: Mapping[Line, tuple[Point, ...]]


def lay_out(services: Sequence[str], lines: Sequence[Line]) -> Map:
    """Lay a graph out.

    Args:
        services: the services' names.
        lines: the lines, of which earlier ones decide who stands above whom where there is a
            circle.
    """
    level = _levels(services, lines)
    rows: list[list[_Slot]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for name in sorted(services):
        rows[level[name]].append((name, -1))
    neighbours: dict[_Slot, list[_Slot]] = defaultdict(list)
    ways: list[list[_Slot]] = []
    for number, line in enumerate(lines):
        start, end = level[line.upper], level[line.lower]
        step = 1 if end > start else -1
        way: list[_Slot] = [(line.upper, -1)]
        for row in range(start + step, end, step):
            slot = (f"{row}", number)
            rows[row].append(slot)
            way.append(slot)
        way.append((line.lower, -1))
        ways.append(way)
        for one, other in itertools.pairwise(way):
            neighbours[one].append(other)
            neighbours[other].append(one)
    rows = _ordered(rows, neighbours)
    across = _placed(rows, neighbours)
    left = min((x - _size(slot) / 2 for slot, x in across.items()), default=0.0) - _GAP
    right = max((x + _size(slot) / 2 for slot, x in across.items()), default=0.0) + _GAP
    height_of = {
        slot: _GAP + HEIGHT / 2 + at * _LEVEL for at, row in enumerate(rows) for slot in row
    }
    centres = {slot: (x - left, height_of[slot]) for slot, x in across.items()}
    return Map(
        size=(right - left, 2 * _GAP + HEIGHT + (len(rows) - 1) * _LEVEL),
        services={name: centres[name, -1] for name in services},
        lines=_routed(lines, ways, centres),
    )


def _levels(services: Sequence[str], lines: Sequence[Line]) -> dict[str, int]:
    """The layer of each service, from the top. A line that would close a circle has no say."""
    below: dict[str, set[str]] = {name: set() for name in services}

    def reaches(start: str, goal: str) -> bool:
        return start == goal or any(reaches(each, goal) for each in below[start])

    for line in lines:
        if not reaches(line.lower, line.upper):
            below[line.upper].add(line.lower)

    def depth(name: str) -> int:
        return max((1 + depth(each) for each in below[name]), default=0)

    depths = {name: depth(name) for name in services}
    deepest = max(depths.values(), default=0)
    return {name: deepest - each for name, each in depths.items()}


def _ordered(
    rows: list[list[_Slot]], neighbours: Mapping[_Slot, Sequence[_Slot]]
) -> list[list[_Slot]]:
    """The layers in the order, of those tried, in which the fewest lines cross."""
    best, fewest = rows, _crossings(rows, neighbours)
    for number in range(_ROUNDS):
        rows = [list(row) for row in rows]
        down = number % 2 == 0
        for at in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            beside = {slot: i for i, slot in enumerate(rows[at - 1 if down else at + 1])}
            place = {slot: i for i, slot in enumerate(rows[at])}

            def middle(
                slot: _Slot,
                beside: Mapping[_Slot, int] = beside,
                place: Mapping[_Slot, int] = place,
            ) -> tuple[float, int]:
                found = [beside[each] for each in neighbours[slot] if each in beside]
                return (sum(found) / len(found) if found else place[slot], place[slot])

            rows[at].sort(key=middle)
        count = _crossings(rows, neighbours)
        if count < fewest:
            best, fewest = rows, count
    return best


def _crossings(rows: list[list[_Slot]], neighbours: Mapping[_Slot, Sequence[_Slot]]) -> int:
    count = 0
    for upper, lower in itertools.pairwise(rows):
        place = {slot: i for i, slot in enumerate(lower)}
        ends = [
            (i, place[each])
            for i, slot in enumerate(upper)
            for each in neighbours[slot]
            if each in place
        ]
        count += sum(1 for a, b in ends for c, d in ends if a < c and b > d)
    return count


def _placed(
    rows: list[list[_Slot]], neighbours: Mapping[_Slot, Sequence[_Slot]]
) -> dict[_Slot, float]:
    """Where each slot is from left to right: near what it is connected with, not too close."""
    across: dict[_Slot, float] = {}
    for row in rows:
        at = 0.0
        for slot in row:
            across[slot] = at + _size(slot) / 2
            at += _size(slot) + _GAP
        for slot in row:
            across[slot] -= at / 2
    for number in range(_ROUNDS):
        for row in rows if number % 2 == 0 else rows[::-1]:
            wanted = [
                sum(across[each] for each in found) / len(found)
                if (found := neighbours[slot])
                else across[slot]
                for slot in row
            ]
            across.update(zip(row, _apart(row, wanted), strict=True))
    return across


def _apart(row: Sequence[_Slot], wanted: Sequence[float]) -> list[float]:
    """The places closest to those wanted at which nothing overlaps: isotonic regression.

    Source: R. Barlow et al., Statistical Inference under Order Restrictions, 1972: pool adjacent
    violators.
    """
    offsets = [0.0]
    for one, other in itertools.pairwise(row):
        offsets.append(offsets[-1] + (_size(one) + _size(other)) / 2 + _GAP)
    pools: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=False):
        total, count = place - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    level = [total / count for total, count in pools for _ in range(count)]
    return [round(each + offset, 1) for each, offset in zip(level, offsets, strict=False)]


def _routed(
    lines: Sequence[Line], ways: Sequence[Sequence[_Slot]], centres: Mapping[_Slot, Point]
) -> dict[Line, tuple[Point, ...]]:
    """The points of each line; where several meet a service, they stand side by side."""
    ends: dict[tuple[str, bool], list[tuple[float, int]]] = defaultdict(list)
    for number, (line, way) in enumerate(zip(lines, ways, strict=True)):
        downwards = centres[way[-1]][1] > centres[way[0]][1]
        ends[line.upper, downwards].append((centres[way[1]][0], number))
        ends[line.lower, not downwards].append((centres[way[-2]][0], number))
    ports: dict[tuple[str, int], Point] = {}
    for (name, lower_edge), found in ends.items():
        x, y = centres[name, -1]
        step = min(_LANE, (WIDTH - _LANE) / len(found))
        for at, (_, number) in enumerate(sorted(found)):
            shift = (at - (len(found) - 1) / 2) * step
            ports[name, number] = (round(x + shift, 1), y + (HEIGHT if lower_edge else -HEIGHT) / 2)
    return {
        line: (
            ports[line.upper, number],
            *(centres[slot] for slot in way[1:-1]),
            ports[line.lower, number],
        )
        for number, (line, way) in enumerate(zip(lines, ways, strict=True))
    }


def _size(slot: _Slot) -> float:
    return WIDTH if slot[1] < 0 else 0.0
