from __future__ import annotations

import json

import pytest

from seam.call import ANONYMOUS, Principal, call_scope
from seam.persistence import Database
from seam.testing import strict_channel
from services.authentication.domain.email_address import read_email_address
from services.authentication.messagebus.authentication import Authentication
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.records.messagebus import (
    Account,
    GetAccountRequest,
    GetKeysRequest,
    UnknownAccountError,
)
from services.authentication.records.messagebus_bus import (
    AuthenticationStub,
    register_authentication,
)
from services.authentication.signing.key_store import KeyStore


@pytest.fixture
def stub(keys: KeyStore, database: Database) -> AuthenticationStub:
    """What another service calls."""
    handler = Authentication(keys, database)
    return AuthenticationStub(strict_channel(register_authentication(handler)))


async def test_other_services_are_given_the_keys_that_clients_see(
    stub: AuthenticationStub, keys: KeyStore
) -> None:
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


async def test_another_service_is_told_of_the_account_of_who_asks_alone(
    stub: AuthenticationStub, database: Database
) -> None:
    address = read_email_address("Ann@example.org")
    assert await AccountRepository(database).add("ann", address, "hash", 1)
    with call_scope(principal=Principal(subject="ann", roles=frozenset(), token="of-ann")):
        account = await stub.get_account(GetAccountRequest())
    assert account == Account(user_id="ann", email="Ann@example.org")
    for who in (ANONYMOUS, Principal(subject="gone", roles=frozenset(), token="of-gone")):
        with call_scope(principal=who), pytest.raises(UnknownAccountError):
            await stub.get_account(GetAccountRequest())
