from __future__ import annotations

import json

from seam.testing import strict_channel
from services.authentication.messagebus.authentication import Authentication
from services.authentication.records.messagebus import GetKeysRequest
from services.authentication.records.messagebus_bus import (
    AuthenticationStub,
    register_authentication,
)
from services.authentication.signing.key_store import KeyStore


async def test_other_services_are_given_the_keys_that_clients_see(keys: KeyStore) -> None:
    stub = AuthenticationStub(strict_channel(register_authentication(Authentication(keys))))
    found = json.loads((await stub.get_keys(GetKeysRequest())).jwks)
    (key,) = (await keys.key_set()).keys
    assert found == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": key.x,
                "kid": key.kid,
                "alg": "EdDSA",
                "use": "sig",
            }
        ]
    }
