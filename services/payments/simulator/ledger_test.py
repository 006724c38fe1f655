from __future__ import annotations

import threading
from pathlib import Path

import pytest

from services.payments.provider.messages import Status
from services.payments.simulator.ledger import Entry, Ledger, OtherChargeError, Total


def test_a_key_is_charged_once(ledger: Ledger) -> None:
    for _ in range(3):
        assert ledger.charge("k", "EUR", 500, "order").status is Status.CHARGED
    assert ledger.held() == [Total(currency="EUR", minor_units=500, charges=1)]
    with pytest.raises(OtherChargeError):
        ledger.charge("k", "EUR", 501, "order")
    (entry,) = ledger.entries()
    assert entry.charge_requests == 4


def test_the_first_answer_of_a_key_is_kept(ledger: Ledger) -> None:
    assert ledger.charge("k", "EUR", 500, "", "no funds").reason == "no funds"
    assert ledger.charge("k", "EUR", 500, "").status is Status.DECLINED
    ledger.charge("l", "EUR", 500, "")
    assert ledger.charge("l", "EUR", 500, "", "no funds").status is Status.CHARGED


def test_a_key_that_is_voided_holds_nothing_and_never_will(ledger: Ledger) -> None:
    ledger.charge("taken", "EUR", 500, "")
    for key in ("taken", "taken", "never"):
        assert ledger.void(key).status is Status.VOIDED
    for key in ("taken", "never"):
        assert ledger.charge(key, "EUR", 500, "").status is Status.VOIDED
    assert ledger.held() == []
    never, taken = ledger.entries()
    assert (never.was_charged, taken.was_charged) == (False, True)
    assert never == Entry(
        key="never",
        currency=None,
        minor_units=None,
        reference="",
        status=Status.VOIDED,
        reason="",
        was_charged=False,
        charge_requests=1,
        void_requests=1,
    )


def test_totals_are_told_by_currency(ledger: Ledger) -> None:
    for key, currency, units in (("a", "USD", 1), ("b", "EUR", 2), ("c", "EUR", 3)):
        ledger.charge(key, currency, units, "")
    ledger.charge("d", "EUR", 100, "", "no funds")
    assert ledger.held() == [Total("EUR", 5, 2), Total("USD", 1, 1)]


def test_threads_and_connections_share_the_books(tmp_path: Path) -> None:
    books = [Ledger(tmp_path / "ledger.db") for _ in range(2)]

    def charge(ledger: Ledger) -> None:
        for number in range(20):
            ledger.charge(f"k{number}", "EUR", 1, "")

    threads = [threading.Thread(target=charge, args=(each,)) for each in books * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books[0].held() == [Total("EUR", 20, 20)]
    assert {entry.charge_requests for entry in books[1].entries()} == {4}
    for each in books:
        each.close()
