"""Draws the map of a system as SVG: services, who calls whom, and whose events go where.

Source: https://www.w3.org/TR/SVG2/.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from docs.site.layout import HEIGHT, WIDTH, Line, lay_out
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.site.layout import Map, Point
    from docs.site.system import System

__all__ = ["STYLE", "draw", "lines_of"]

CALLS: Final = "calls"
EVENTS: Final = "events"

STYLE: Final = Markup(
    """\
.map { --ink: #1d2733; --box: #fff; --edge: #b9c2cc; --call: #3f5a78; --event: #a2521c; }
@media (prefers-color-scheme: dark) {
  .map { --ink: #e7ebf0; --box: #1d232b; --edge: #465160; --call: #8fb2d9; --event: #e79c66; }
}
.map .box { fill: var(--box); stroke: var(--edge); stroke-width: 1.5; }
.map text { fill: var(--ink); font: 600 15px system-ui, sans-serif; text-anchor: middle; }
.map .line { fill: none; stroke-width: 1.6; }
.map .calls { stroke: var(--call); }
.map .events { stroke: var(--event); stroke-dasharray: 5 4; }
.map .tip-calls { fill: var(--call); }
.map .tip-events { fill: var(--event); }
.map a:hover .box, .map a:focus-visible .box { stroke: var(--call); stroke-width: 3; }
"""
)
"""What a picture that stands alone looks like; pages have the same in their style sheet."""

_NO_STYLE: Final = Markup("")
_TIP: Final = 8.0


def lines_of(system: System) -> list[Line]:
    """The lines of the map; calls decide before events who stands above whom."""
    calls = [Line(call.caller, call.callee, CALLS) for call in system.calls]
    flows = [
        Line(flow.subscriber, flow.publisher, EVENTS)
        for flow in system.flows
        if flow.subscriber != flow.publisher
    ]
    return [*calls, *flows]


def draw(system: System, *, folder: str = "", style: Markup = _NO_STYLE) -> Markup:
    """The map as an `svg` element.

    Args:
        system: what to draw.
        folder: where pages of services are, as seen from the page or file that holds the map.
        style: a style sheet, for a picture that stands alone.
    """
    plan = lay_out([each.name for each in system.services], lines_of(system))
    width, height = plan.size
    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="map" role="group"'
            ' aria-label="Map of the services" viewBox="0 0 {} {}">'
        ).format(_number(width), _number(height))
    ]
    if style:
        parts.append(Markup("<style>{}</style>").format(style))
    parts.extend(_lines(system, plan))
    for each in system.services:
        x, y = plan.services[each.name]
        parts.append(
            Markup(
                '<a href="{}{}.html"><rect class="box" x="{}" y="{}" width="{}" height="{}"'
                ' rx="9"/><text x="{}" y="{}">{}</text></a>'
            ).format(
                folder,
                each.name,
                _number(x - WIDTH / 2),
                _number(y - HEIGHT / 2),
                _number(WIDTH),
                _number(HEIGHT),
                _number(x),
                _number(y + 5),
                each.title,
            )
        )
    return Markup("\n").join([*parts, Markup("</svg>\n")])


def _lines(system: System, plan: Map) -> Iterator[Markup]:
    said = {(call.caller, call.callee, CALLS): call.methods for call in system.calls}
    said |= {(flow.subscriber, flow.publisher, EVENTS): flow.events for flow in system.flows}
    yield Markup('<g aria-hidden="true">')
    for line, points in plan.lines.items():
        # Calls point at who answers, and events at who takes them.
        if line.kind == CALLS:
            source, target, way = line.upper, line.lower, points
            verb = "calls"
        else:
            source, target, way = line.lower, line.upper, points[::-1]
            verb = "tells"
        names = ", ".join(
            each.rpartition(".")[2] for each in said[line.upper, line.lower, line.kind]
        )
        yield Markup(
            '<g data-from="{}" data-to="{}" data-kind="{}"><title>{}</title>'
            '<path class="line {}" d="{}"/><path class="tip-{}" d="{}"/></g>'
        ).format(
            source,
            target,
            line.kind,
            f"{source} {verb} {target}: {names}",
            line.kind,
            _curve(way),
            line.kind,
            _tip(way),
        )
    yield Markup("</g>")


def _curve(points: tuple[Point, ...]) -> str:
    """A smooth line that leaves each point upright."""
    *_, before, (end_x, end_y) = points
    # The tip covers the end.
    end = (end_x, end_y - (_TIP if end_y > before[1] else -_TIP))
    points = (*points[:-1], end)
    words = [f"M{_number(points[0][0])} {_number(points[0][1])}"]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        middle = (y + to_y) / 2
        numbers = (x, middle, to_x, middle, to_x, to_y)
        words.append("C" + " ".join(_number(each) for each in numbers))
    return " ".join(words)


def _tip(points: tuple[Point, ...]) -> str:
    """The tip of an arrow at the last point."""
    x, y = points[-1]
    back = y - _TIP * 1.25 if y > points[-2][1] else y + _TIP * 1.25
    half = _TIP / 2
    return (
        f"M{_number(x)} {_number(y)} L{_number(x - half)} {_number(back)}"
        f" L{_number(x + half)} {_number(back)} Z"
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
