from __future__ import annotations

from tests.faults.schedule import Fault, draw

POSSIBLE = ((Fault.KILL, "shop"), (Fault.FREEZE, "broker"))
STEPS = ("shop: reserve stock, done", "shop: take payment, done", "shop: confirm, done")


def test_a_seed_gives_the_same_schedule_again() -> None:
    assert draw(7, 1_000, 20, POSSIBLE, STEPS) == draw(7, 1_000, 20, POSSIBLE, STEPS)
    assert draw(7, 1_000, 20, POSSIBLE, STEPS) != draw(8, 1_000, 20, POSSIBLE, STEPS)


def test_everything_that_can_happen_happens_before_anything_happens_again() -> None:
    events = draw(7, 1_000, 10, POSSIBLE, STEPS)
    for turn in (events[:5], events[5:]):
        assert {(event.fault, event.target) for event in turn} >= set(POSSIBLE)
        assert {f"{event.target}: {event.step}" for event in turn if event.step} == set(STEPS)


def test_faults_come_in_order_and_while_orders_are_placed() -> None:
    moments = [event.after for event in draw(3, 1_000, 50, POSSIBLE, STEPS)]
    assert moments == sorted(moments)
    assert moments[0] >= 20
    assert moments[-1] <= 900
