"""The map is laid out as promised, whatever the system is like."""

from __future__ import annotations

from docs.site.layout import HEIGHT, WIDTH, Line, lay_out
from hypothesis import given
from hypothesis import strategies as st

NAMES = [f"service_{number}" for number in range(9)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[Line]]:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names), st.sampled_from("ce"))
    drawn = draw(st.lists(ends, unique=True, max_size=20))
    return names, [Line(*each) for each in drawn if each[0] != each[1]]


@given(graphs())
def test_services_do_not_overlap_and_all_is_within_the_picture(
    graph: tuple[list[str], list[Line]],
) -> None:
    names, lines = graph
    found = lay_out(names, lines)
    width, height = found.size
    for name, (x, y) in found.services.items():
        assert WIDTH / 2 <= x <= width - WIDTH / 2
        assert HEIGHT / 2 <= y <= height - HEIGHT / 2
        for other, (at, level) in found.services.items():
            assert name == other or level != y or abs(at - x) >= WIDTH
    assert set(found.services) == set(names)


@given(graphs())
def test_lines_join_their_services_and_pass_between_the_others(
    graph: tuple[list[str], list[Line]],
) -> None:
    names, lines = graph
    found = lay_out(names, lines)
    assert list(found.lines) == lines
    for line, points in found.lines.items():
        for end, (x, y) in ((line.upper, points[0]), (line.lower, points[-1])):
            at, level = found.services[end]
            assert abs(x - at) <= WIDTH / 2
            assert abs(y - level) == HEIGHT / 2
        for x, y in points[1:-1]:
            assert all(
                level != y or abs(at - x) >= WIDTH / 2 for at, level in found.services.values()
            )


@given(graphs())
def test_who_calls_stands_above_who_answers_unless_they_call_in_a_circle(
    graph: tuple[list[str], list[Line]],
) -> None:
    names, lines = graph
    upright = [line for line in lines if line.upper < line.lower]
    found = lay_out(names, upright)
    for line in upright:
        assert found.services[line.upper][1] < found.services[line.lower][1]


def test_the_same_graph_gives_the_same_picture() -> None:
    lines = [Line("a", "b", "c"), Line("c", "a", "c"), Line("b", "c", "e")]
    assert lay_out(["a", "b", "c"], lines) == lay_out(["c", "b", "a"], lines)
