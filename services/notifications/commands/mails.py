"""The commands of the notifications."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number

from seam.contract import StatusError
from seam.persistence import Database
from seam.runtime import Settings, database_location
from services.notifications.persistence.mails import Mail, MailRepository, MailState
from services.notifications.persistence.migrations import MIGRATIONS

commands = App(name="notifications", help="Look after mails.", version_flags=[])
mails = App(name="mails", help="Show mails, and send them again.", version_flags=[])
commands.command(mails)

EXIT_NOT_FOUND: Final = 1


@mails.command(name="list")
async def list_mails(
    *,
    state: MailState | None = None,
    most: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 100,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """List mails, the newest first: when they were written, to whom, and what became of them.

    Args:
        state: list those in this state alone.
        most: how many to list.
        settings: where the system's parts are.
    """
    async with _opened(settings) as database:
        if database is None:
            return EXIT_NOT_FOUND
        states = list(MailState) if state is None else [state]
        for mail in await MailRepository(database).newest(states, most):
            print(_line(mail))
    return 0


@mails.command
async def show(
    mail_id: str,
    /,
    *,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Show one mail and what it says.

    Args:
        mail_id: its identity, which `list` shows.
        settings: where the system's parts are.
    """
    async with _opened(settings) as database:
        if database is None:
            return EXIT_NOT_FOUND
        mail = await MailRepository(database).find(mail_id)
        if mail is None:
            print(f"there is no mail '{mail_id}'; `mails list` shows them", file=sys.stderr)
            return EXIT_NOT_FOUND
        print(f"{_line(mail)}\n\n{mail.subject}\n\n{mail.text}")
    return 0


@mails.command
async def retry(
    *mail_ids: str,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Send mails after all that failed, or that were written when no server was configured.

    Args:
        mail_ids: their identities, which `list` shows.
        settings: where the system's parts are.
    """
    code = 0
    async with _opened(settings) as database:
        if database is None:
            return EXIT_NOT_FOUND
        for mail_id in mail_ids:
            if await MailRepository(database).retry(mail_id, time.time_ns() // 1000):
                print(f"{mail_id} will be sent")
            else:
                print(f"there is no mail '{mail_id}' that was not sent", file=sys.stderr)
                code = EXIT_NOT_FOUND
    return code


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database | None]:
    """The database of the notifications; None when it is away, which is said."""
    try:
        async with database_location(settings, "notifications").open(MIGRATIONS) as database:
            yield database
    except StatusError as error:
        print(error.message, file=sys.stderr)
        yield None


def _line(mail: Mail) -> str:
    written = datetime.fromtimestamp(mail.written_at // 1_000_000, UTC).isoformat()
    attempts = f"after {mail.attempts} attempts" if mail.attempts > 1 else ""
    parts = (written, mail.mail_id, mail.recipient, mail.state, attempts, mail.reason)
    return "  ".join(filter(None, parts))
