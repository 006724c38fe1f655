"""The API as clients of gRPC see it that know nothing of its contract but the messages."""

from __future__ import annotations

from datetime import timedelta

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from seam.bus import HandlerRegistry
from seam.codec.status import STATUS_DETAILS_KEY
from seam.persistence import Database
from seam.runtime.grpc_server import serve_grpc
from seam.runtime.topology import Address
from services.authentication.api.authentication_api import AuthenticationApi
from services.authentication.conftest import AdjustableClock
from services.authentication.domain.password_hashing import PasswordHashing
from services.authentication.records.api import AuthenticateRequest, TooManyAttempts
from services.authentication.records.api_bus import (
    AUTHENTICATION_API,
    AUTHENTICATION_API_AUTHENTICATE,
    register_authentication_api,
)
from services.authentication.records.api_wire import TOO_MANY_ATTEMPTS
from services.authentication.signing.key_store import KeyStore


async def test_who_guesses_reads_for_how_long_to_wait(
    database: Database, passwords: PasswordHashing, keys: KeyStore, clock: AdjustableClock
) -> None:
    registry = HandlerRegistry()
    registry.register(
        register_authentication_api(AuthenticationApi(database, passwords, keys, clock))
    )
    method = AUTHENTICATION_API_AUTHENTICATE
    request = method.request.encode(
        AuthenticateRequest(email="nobody@example.org", password="wrong horse")
    )
    listening = serve_grpc([AUTHENTICATION_API], registry, Address("127.0.0.1", 0), grace=1)
    async with listening as bound, grpc.aio.insecure_channel(str(bound)) as channel:
        authenticate: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/{method.full_name}"
        )
        for _ in range(5):
            with pytest.raises(grpc.aio.AioRpcError, match="the password is wrong"):
                await authenticate(request)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await authenticate(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    packed = dict(caught.value.trailing_metadata() or ())[STATUS_DETAILS_KEY]
    assert isinstance(packed, bytes)
    typed, standard = Status.FromString(packed).details
    assert typed.value == TOO_MANY_ATTEMPTS.encode(TooManyAttempts(retry_after_seconds=1))
    info = RetryInfo()
    assert standard.Unpack(info)
    assert info.retry_delay.ToTimedelta() == timedelta(seconds=1)
