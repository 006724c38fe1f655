"""Why events cannot be delivered now, for no fault of theirs."""

from __future__ import annotations


class DatabaseAwayError(Exception):
    """The subscriber's database is not there: that is no fault of an event."""


class BrokerAwayError(Exception):
    """The broker cannot do what it was asked for now; the log says why."""
