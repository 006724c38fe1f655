"""Composition root of authentication: what it answers, and what it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from seam.bus import Registration
from seam.runtime import Resources, Service, main
from services.authentication.api.authentication_api import AuthenticationApi
from services.authentication.commands.accounts import commands
from services.authentication.domain.clock import wall_clock
from services.authentication.domain.password_hashing import password_hashing
from services.authentication.housekeeping import housekeeping
from services.authentication.messagebus.authentication import Authentication
from services.authentication.persistence.migrations import MIGRATIONS
from services.authentication.persistence.tables import Table
from services.authentication.records.api_bus import register_authentication_api
from services.authentication.records.api_routes import AUTHENTICATION_API_HTTP
from services.authentication.records.messagebus_bus import register_authentication
from services.authentication.records.messagebus_events import USER_DELETED
from services.authentication.signing.key_store import KeyStore
from services.authentication.signing.sealing import CannotUnsealError, sealing_of


@asynccontextmanager
async def start(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
    """Open the database, make a key if there is none, and answer."""
    sealing = sealing_of(resources.settings)
    async with resources.database(Table.metadata) as database, password_hashing() as passwords:
        keys = KeyStore(database, sealing, wall_clock)
        try:
            async with housekeeping(database, keys, wall_clock):
                api = AuthenticationApi(database, passwords, keys, wall_clock)
                yield (
                    register_authentication_api(api),
                    register_authentication(Authentication(keys)),
                )
        except CannotUnsealError as error:
            raise resources.settings.error("key_encryption_key_file", str(error)) from None


SERVICE = Service(
    name="authentication",
    start=start,
    http=(AUTHENTICATION_API_HTTP,),
    publishes=(USER_DELETED,),
    migrations=MIGRATIONS,
    commands=commands,
)

if __name__ == "__main__":
    main("authentication", (SERVICE,))
