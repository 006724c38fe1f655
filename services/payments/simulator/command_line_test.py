"""The simulator as a process, which may be killed at any time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.payments.simulator import command_line

CHARGE = {"currency": "EUR", "minorUnits": 500, "reference": "order 7"}


def popen(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, command_line.__file__, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(ledger: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with popen("--http", "127.0.0.1:0", "--ledger", str(ledger), *arguments) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        try:
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.kill()


def refusal(*arguments: str) -> tuple[int, str]:
    with popen(*arguments) as process:
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors.strip()


def test_what_it_has_answered_survives_kill_9(tmp_path: Path) -> None:
    ledger = tmp_path / "books" / "ledger.db"
    with running(ledger) as (process, url):
        for key in ("a", "b"):
            headers = {"idempotency-key": key}
            assert httpx.post(f"{url}/v1/charges", json=CHARGE, headers=headers).status_code == 200
        assert httpx.post(f"{url}/v1/voids", headers={"idempotency-key": "b"}).status_code == 200
        process.kill()
        process.wait()
    with running(ledger) as (_, url):
        books = httpx.get(f"{url}/simulator/ledger").json()
        assert books["held"] == [{"currency": "EUR", "minorUnits": 500, "charges": 1}]
        again = httpx.post(f"{url}/v1/charges", json=CHARGE, headers={"idempotency-key": "b"})
        assert again.status_code == 409


def test_flags_say_how_it_misbehaves(tmp_path: Path) -> None:
    flags = ["--fault", "unavailable=0.5", "--fault", "drop=0.5", "--seed", "3"]
    with running(tmp_path / "ledger.db", *flags, "--decline-above", "9") as (process, url):
        behaviour = httpx.get(f"{url}/simulator/behaviour").json()
        assert behaviour["rates"] == {"unavailable": 0.5, "drop": 0.5}
        assert (behaviour["seed"], behaviour["declineAbove"]) == (3, 9)
        process.terminate()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--http", "here"], "'here' is not an address; expected HOST:PORT"),
        (["--fault", "late"], "--fault 'late': expected NAME=RATE"),
        (["--fault", "lat=0.1"], "Invalid enum value 'lat'"),
        (["--fault", "late=1", "--fault", "drop=1"], "rates add up to 2; expected at most 1"),
        (["--decline", "2"], "Expected `float` <= 1.0 - at `$.decline`"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(
    tmp_path: Path, arguments: list[str], expected: str
) -> None:
    code, errors = refusal("--ledger", str(tmp_path / "ledger.db"), *arguments)
    assert code == 2
    assert errors.startswith("simulator: ")
    assert expected in errors


def test_a_ledger_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ledger = str(tmp_path / "file" / "ledger.db")
    code, errors = refusal("--ledger", ledger)
    assert code == 2
    assert errors.startswith(f"simulator: cannot open the ledger {ledger}: ")


def test_the_help_names_the_flags() -> None:
    with popen("--help") as process:
        output, _ = process.communicate(timeout=60)
    for flag in ("--http", "--ledger", "--seed", "--fault", "--delay", "--decline", "--api-key"):
        assert flag in output
