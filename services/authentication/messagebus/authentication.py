"""Answers other services that verify tokens."""

from __future__ import annotations

import msgspec

from services.authentication.records.api_json import json_web_key_set_to_json
from services.authentication.records.messagebus import GetKeysRequest, Keys
from services.authentication.signing.key_store import KeyStore


class Authentication:
    """Handler of `authentication.v1.Authentication`."""

    def __init__(self, keys: KeyStore) -> None:
        """Tell of `keys`."""
        self._keys = keys

    async def get_keys(self, _: GetKeysRequest) -> Keys:
        """The public keys that tokens are verified with."""
        key_set = json_web_key_set_to_json(await self._keys.key_set())
        return Keys(jwks=msgspec.json.encode(key_set).decode())
