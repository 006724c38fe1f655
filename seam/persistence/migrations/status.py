"""Tells what keeps a service's code from working with its database, and changes nothing."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from seam.persistence.database import CannotOpenDatabaseError, shown_url
from seam.persistence.migrations.connection import look
from seam.persistence.migrations.revisions import Migrations
from seam.persistence.migrations.schema import BehindError, check_schema
from seam.persistence.tables import MisfitError


def problem(url: str, migrations: Migrations) -> str | None:
    """What is wrong with the tables of a service, in words; None when nothing is.

    Raises:
        CannotOpenDatabaseError: the database cannot be read.
    """
    try:
        found = look(url, partial(_problem, migrations))
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        raise CannotOpenDatabaseError(f"cannot read {shown_url(url)}: {reason}") from None
    return (
        str(BehindError(migrations.service, None, migrations.head))
        if found is None
        else found or None
    )


def _problem(migrations: Migrations, connection: Connection) -> str:
    try:
        check_schema(connection, migrations)
    except (BehindError, MisfitError) as error:
        return str(error)
    return ""
