"""The books of the simulated provider: who was charged, and what was given back.

A SQLite file with one commit for each change, which is on disk before anybody is answered, so that
an audit can rely on it whatever was killed.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from services.payments.provider.messages import Status

BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another process that writes to the same file."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS charge (
    key TEXT PRIMARY KEY,
    currency TEXT,
    minor_units INTEGER,
    reference TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('charged', 'declined', 'voided')),
    reason TEXT NOT NULL,
    was_charged INTEGER NOT NULL,
    charge_requests INTEGER NOT NULL,
    void_requests INTEGER NOT NULL
) WITHOUT ROWID
"""

_COLUMNS: Final = (
    "key, currency, minor_units, reference, status, reason, was_charged, "
    "charge_requests, void_requests"
)


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """What the ledger knows of one key.

    Attributes:
        key: the idempotency key.
        currency: ISO 4217 code; None when the key was voided before it was charged.
        minor_units: how much; None likewise.
        reference: what the payer reads.
        status: `charged` means that the money is held, `voided` that it never will be again.
        reason: why it was declined.
        was_charged: whether money was held at any time.
        charge_requests: how often it was to be charged.
        void_requests: how often it was to be voided.
    """

    key: str
    currency: str | None
    minor_units: int | None
    reference: str
    status: Status
    reason: str
    was_charged: bool
    charge_requests: int
    void_requests: int


class Total(msgspec.Struct, frozen=True, rename="camel"):
    """What is held in one currency.

    Attributes:
        currency: ISO 4217 code.
        minor_units: how much.
        charges: from how many charges.
    """

    currency: str
    minor_units: int
    charges: int


class OtherChargeError(Exception):
    """A key that was charged before is to be charged with something else."""


class Ledger:
    """Charges by key. Threads may share it, and processes the file."""

    def __init__(self, file: Path) -> None:
        """Open the ledger in `file`, which is made when it is missing.

        Raises:
            sqlite3.Error: it cannot be opened, or is no ledger.
            OSError: its folder cannot be made.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            file, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def charge(
        self, key: str, currency: str, minor_units: int, reference: str, refusal: str | None = None
    ) -> Entry:
        """Charge a key, if nothing was decided about it yet.

        Args:
            key: the idempotency key.
            currency: ISO 4217 code.
            minor_units: how much.
            reference: what the payer reads.
            refusal: why a key that is new is declined; None to charge it.

        Raises:
            OtherChargeError: it was charged, or declined, with something else before.
        """
        with self._change() as connection:
            status = Status.CHARGED if refusal is None else Status.DECLINED
            connection.execute(
                "INSERT INTO charge VALUES (?, ?, ?, ?, ?, ?, ?, 1, 0) ON CONFLICT (key) "
                "DO UPDATE SET charge_requests = charge_requests + 1",
                (
                    key,
                    currency,
                    minor_units,
                    reference,
                    status.value,
                    refusal or "",
                    refusal is None,
                ),
            )
            entry = self._entry(key)
        asked, known = (currency, minor_units), (entry.currency, entry.minor_units)
        if entry.status is not Status.VOIDED and asked != known:
            raise OtherChargeError
        return entry

    def void(self, key: str) -> Entry:
        """Give back what is held under a key, if anything, and refuse it for ever."""
        with self._change() as connection:
            connection.execute(
                "INSERT INTO charge VALUES (?, NULL, NULL, '', 'voided', '', 0, 0, 1) "
                "ON CONFLICT (key) DO UPDATE SET status = 'voided', "
                "void_requests = void_requests + 1",
                (key,),
            )
            return self._entry(key)

    def entries(self) -> list[Entry]:
        """All that is known, in the order of the keys."""
        with self._lock:
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM charge ORDER BY key")  # noqa: S608
            return [_entry(row) for row in rows]

    def held(self) -> list[Total]:
        """What is held, by currency."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT currency, sum(minor_units), count(*) FROM charge "
                "WHERE status = 'charged' GROUP BY currency ORDER BY currency"
            )
            return [Total(*row) for row in rows]

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            # Commits at the end, and rolls back on an exception.
            with self._connection as connection:
                yield connection

    def _entry(self, key: str) -> Entry:
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM charge WHERE key = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return _entry(row)


def _entry(row: tuple[Any, ...]) -> Entry:
    key, currency, minor_units, reference, status, reason, was_charged, charges, voids = row
    return Entry(
        key=key,
        currency=currency,
        minor_units=minor_units,
        reference=reference,
        status=Status(status),
        reason=reason,
        was_charged=bool(was_charged),
        charge_requests=charges,
        void_requests=voids,
    )
