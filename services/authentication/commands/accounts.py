"""The commands of authentication: who is trusted with what, and which key signs."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from cyclopts import App

from seam.contract import InvalidField, StatusError
from seam.runtime import Settings, database_location, settings_of
from services.authentication.domain.clock import SECOND, wall_clock
from services.authentication.domain.email_address import read_email_address
from services.authentication.domain.role import is_role
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.persistence.migrations import MIGRATIONS
from services.authentication.signing.key_store import KeyStore
from services.authentication.signing.sealing import CannotUnsealError, sealing_of

EXIT_REFUSED: Final = 1

commands = App(name="authentication", help="Look after accounts and keys.", version_flags=[])


@commands.command
async def grant(
    email: str,
    role: str,
    /,
    *,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Trust an account with a role. It is in the next token that the account is given.

    Args:
        email: the account's e-mail address.
        role: the role, such as `agent`.
        settings: where the system's parts are.
    """
    return await _change(email, role, settings, AccountRepository.grant, "has the role already")


@commands.command(name="revoke-role")
async def revoke_role(
    email: str,
    role: str,
    /,
    *,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Trust an account with a role no longer. Tokens that it has hold for 15 minutes still.

    Args:
        email: the account's e-mail address.
        role: the role.
        settings: where the system's parts are.
    """
    return await _change(email, role, settings, AccountRepository.revoke, "does not have the role")


@commands.command(name="rotate-keys")
async def rotate_keys(
    *,
    at_once: bool = False,
    settings: Settings = Settings(),  # noqa: B008
) -> int:
    """Make the next key that signs tokens, before it is due.

    Args:
        at_once: let it sign from now on and delete all others, because somebody may have them.
            Everybody's access token is refused then until it is refreshed; processes that run may
            go on as before for up to six minutes, until they have read the keys anew.
        settings: where the system's parts are.
    """
    sealing = sealing_of(settings_of(settings, "authentication"))
    try:
        async with database_location(settings, "authentication").open(MIGRATIONS) as database:
            key = await KeyStore(database, sealing, wall_clock).rotate(at_once=at_once)
    except (StatusError, CannotUnsealError) as error:
        return _refused(error)
    time = datetime.fromtimestamp(key.signs_from / SECOND, UTC).isoformat(timespec="seconds")
    print(f"key {key.public.kid} signs from {time}")
    return 0


async def _change(
    email: str,
    role: str,
    settings: Settings,
    change: Callable[[AccountRepository, str, str], Awaitable[bool]],
    unchanged: str,
) -> int:
    if not is_role(role):
        print(
            f"'{role}' is no role; expected up to 32 of a-z, 0-9, '_' and '-', a letter first",
            file=sys.stderr,
        )
        return EXIT_REFUSED
    try:
        address = read_email_address(email)
        async with (
            database_location(settings, "authentication").open(MIGRATIONS) as database,
            database.transaction() as transaction,
        ):
            accounts = AccountRepository(transaction)
            account = await accounts.by_email(address)
            if account is not None and await accounts.lock(account.user_id) is None:
                account = None
            changed = account is not None and await change(accounts, account.user_id, role)
    except (StatusError, InvalidField) as error:
        return _refused(error)
    if account is None:
        print(f"there is no account '{email}'", file=sys.stderr)
        return EXIT_REFUSED
    print(f"{account.email}: {role}" if changed else f"{account.email} {unchanged}")
    return 0


def _refused(error: Exception) -> int:
    print(error.message if isinstance(error, StatusError) else error, file=sys.stderr)
    return EXIT_REFUSED
