from __future__ import annotations

import msgspec
import pytest

from services.payments.simulator.behaviour import Behaviour, Fault, Faults

KEYS = [f"key-{number}" for number in range(2_000)]


def play(seed: int) -> list[Fault]:
    rates = {Fault.DROP: 0.2, Fault.LATE: 0.1}
    faults = Faults(Behaviour(seed=seed, rates=rates))
    return [faults.next("charge", key) for key in KEYS]


def test_a_seed_repeats_what_happened_and_another_gives_something_else() -> None:
    assert play(1) == play(1) != play(2)


def test_what_happens_to_a_request_does_not_depend_on_others() -> None:
    rates = {Fault.DROP: 0.5}
    alone, among = (Faults(Behaviour(rates=rates)) for _ in range(2))
    expected = [alone.next("charge", "k") for _ in range(20)]
    found = []
    for number in range(20):
        among.next("charge", f"other-{number}")
        among.next("void", "k")
        found.append(among.next("charge", "k"))
    assert found == expected
    assert len(set(expected)) == 2


def test_faults_happen_as_often_as_their_rates_say() -> None:
    found = play(3)
    assert 300 < found.count(Fault.DROP) < 500
    assert 140 < found.count(Fault.LATE) < 260
    assert found.count(Fault.NONE) == len(KEYS) - found.count(Fault.DROP) - found.count(Fault.LATE)


def test_a_script_comes_before_rates() -> None:
    faults = Faults(Behaviour(script=(Fault.HANG, Fault.NONE, Fault.LOSE), rates={Fault.DROP: 1.0}))
    found = [faults.next("charge", "k") for _ in range(5)]
    assert found == [Fault.HANG, Fault.NONE, Fault.LOSE, Fault.DROP, Fault.DROP]


def test_a_key_is_declined_or_it_is_not() -> None:
    behaviour = Behaviour(decline=0.3, decline_above=100)
    refusals = {key: behaviour.refusal(key, 100) for key in KEYS}
    assert refusals == {key: behaviour.refusal(key, 100) for key in KEYS}
    assert 500 < sum(each is not None for each in refusals.values()) < 700
    assert behaviour.refusal(KEYS[0], 101) == "the amount is above the limit of the card"
    assert Behaviour().refusal(KEYS[0], 10**12) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"rates": {"drop": 0.7, "late": 0.4}}', "rates add up to 1.1; expected at most 1"),
        ('{"rates": {"drop": 1.5}}', "Expected `float` <= 1.0"),
        ('{"rates": {"sleep": 1}}', "Invalid enum value 'sleep'"),
        ('{"script": ["late", "lat"]}', "Invalid enum value 'lat'"),
        ('{"dely": 3}', "unknown field `dely`"),
        ('{"delay": -1}', "Expected `float` >= 0"),
    ],
)
def test_a_behaviour_that_cannot_be_is_refused(text: str, expected: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=expected):
        msgspec.json.decode(text, type=Behaviour)
