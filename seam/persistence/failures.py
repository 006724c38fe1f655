"""What the failure of a database means: it is away, it is damaged, or somebody made a mistake.

What is away or damaged is a status that callers may see, without addresses, statements or data.
Everything else, such as a constraint or a statement that is wrong, is a defect and stays what it
is; but whatever could repeat data is taken out of it, since defects are logged.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from seam.contract import Code

_AWAY_SQLITE: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_DAMAGED_SQLITE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

# Classes and single codes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
_AWAY_POSTGRESQL: Final = (
    "08",  # the connection
    "25006",  # a server that has become a standby
    "28",  # a password that was changed
    "3D",  # a database that was dropped
    "40001",  # what can be tried again: serialization,
    "40P01",  # deadlock,
    "55P03",  # a lock that was not to be had
    "53",  # memory, disk or connections that ran out
    "57",  # shutting down, starting up, ended by an administrator
    "58",  # I/O
)
_DAMAGED_POSTGRESQL: Final = ("XX001", "XX002")
_DATA_POSTGRESQL: Final = "22"

_UNREACHABLE: Final = "cannot be reached"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a database cannot do what it was asked for.

    Attributes:
        code: UNAVAILABLE when it may work later, DATA_LOSS when its data is damaged.
        detail: what is known, for the log.
        summary: the same for anybody: no address.
    """

    code: Code
    detail: str
    summary: str = _UNREACHABLE


class FailureError(Exception):
    """A database cannot do what it was asked for, as our own code has found out."""

    def __init__(self, failure: Failure) -> None:
        """Say why."""
        super().__init__(failure.detail)
        self.failure = failure


class TransactionEndedError(RuntimeError):
    """A transaction was used after its block, where it would be a part of somebody else's."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the transaction has ended: use it in its block alone")


def unavailable(detail: str, summary: str = _UNREACHABLE) -> FailureError:
    """The error of a database that is away."""
    return FailureError(Failure(Code.UNAVAILABLE, detail, summary))


class DriverError(Exception):
    """An error of a driver, as the modules that call it hand it on."""

    def __init__(self, error: BaseException, sql: str, *, lost: bool = False) -> None:
        """Hand on `error`.

        Args:
            error: what the driver has raised.
            sql: the statement, without parameters.
            lost: whether the connection has ended with it.
        """
        super().__init__(type(error).__name__)
        self.error = error
        self.sql = sql
        self.lost = lost


def failure_of(error: BaseException) -> Failure | None:
    """Why a database failed, or None when the error is a defect of its caller."""
    if isinstance(error, FailureError):
        return error.failure
    if isinstance(error, DriverError):
        return _failure(error.error, lost=error.lost)
    if isinstance(error, DBAPIError):
        return _failure(error.orig, lost=error.connection_invalidated)
    return None


def _failure(error: BaseException | None, *, lost: bool) -> Failure | None:
    code = _sqlite_code(error)
    if code in _DAMAGED_SQLITE:
        return Failure(Code.DATA_LOSS, str(error), "is damaged")
    if code in _AWAY_SQLITE:
        return Failure(Code.UNAVAILABLE, str(error), _sqlite_summary(code))
    state = getattr(error, "sqlstate", None) or ""
    if state.startswith(_DAMAGED_POSTGRESQL):
        return Failure(Code.DATA_LOSS, f"{_first_line(error)} ({state})", "is damaged")
    if state.startswith(_AWAY_POSTGRESQL):
        return Failure(Code.UNAVAILABLE, f"{_first_line(error)} ({state})")
    if isinstance(error, TimeoutError):
        return Failure(Code.UNAVAILABLE, "a statement takes too long")
    if lost or isinstance(error, OSError):
        return Failure(Code.UNAVAILABLE, _first_line(error) or "the connection has ended")
    return None


def defect(error: DriverError) -> Exception:
    """The error of SQLAlchemy that tells a driver's, without what could repeat data.

    A driver's own error may tell the values of the row, and so may the parameters.
    """
    original = error.error
    state = getattr(original, "sqlstate", None)
    integrity = isinstance(original, sqlite3.IntegrityError) or (state or "").startswith("23")
    by_driver = state is None and _sqlite_code(original) is None
    if by_driver or (state or "").startswith(_DATA_POSTGRESQL):
        said = "its text may hold data and is left out"
    else:
        said = _first_line(original.args[0] if original.args else original)
    kind = IntegrityError if integrity else ProgrammingError
    told = DefectError(f"({type(original).__name__}) {said}")
    return kind(error.sql, None, told, hide_parameters=True)


class DefectError(Exception):
    """What a driver has said of a defect, without data."""


def _sqlite_code(error: BaseException | None) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    # The upper bits tell more of the same, such as which I/O failed.
    return code & 0xFF if isinstance(code, int) else None


def _sqlite_summary(code: int | None) -> str:
    return {
        sqlite3.SQLITE_BUSY: "is locked",
        sqlite3.SQLITE_LOCKED: "is locked",
        sqlite3.SQLITE_FULL: "has no space left",
        sqlite3.SQLITE_READONLY: "cannot be written",
    }.get(code or 0, _UNREACHABLE)


def _first_line(error: object) -> str:
    return str(error).partition("\n")[0]
