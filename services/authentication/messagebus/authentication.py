"""Answers other services that verify tokens, or show who is signed in."""

from __future__ import annotations

import msgspec

from seam.call import current_principal
from seam.persistence import Database
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.records.api_json import json_web_key_set_to_json
from services.authentication.records.messagebus import (
    Account,
    GetAccountRequest,
    GetKeysRequest,
    Keys,
    UnknownAccount,
    UnknownAccountError,
)
from services.authentication.signing.key_store import KeyStore


class Authentication:
    """Handler of `authentication.v1.Authentication`."""

    def __init__(self, keys: KeyStore, database: Database) -> None:
        """Tell of `keys`, and of accounts in `database`."""
        self._keys = keys
        self._accounts = AccountRepository(database)

    async def get_keys(self, _: GetKeysRequest) -> Keys:
        """The public keys that tokens are verified with."""
        key_set = json_web_key_set_to_json(await self._keys.key_set())
        return Keys(jwks=msgspec.json.encode(key_set).decode())

    async def get_account(self, _: GetAccountRequest) -> Account:
        """The account of who is signed in."""
        user_id = current_principal().subject
        account = await self._accounts.find(user_id) if user_id else None
        if account is None:
            raise UnknownAccountError(UnknownAccount())
        return Account(user_id=account.user_id, email=account.email)
