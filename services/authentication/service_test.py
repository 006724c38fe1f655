from __future__ import annotations

import base64
from pathlib import Path

import pytest

from seam.contract import ServiceDescriptor
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import ServiceSettings, Setting, SettingsError
from seam.testing import strict_channel
from services.authentication.records.api import AuthenticateRequest, RegisterUserRequest
from services.authentication.records.api_bus import AUTHENTICATION_API, AuthenticationApiStub
from services.authentication.records.messagebus_bus import AUTHENTICATION
from services.authentication.records.messagebus_events import USER_DELETED
from services.authentication.service import SERVICE, start


def nobody(_: ServiceDescriptor) -> None:
    raise AssertionError("it needs nobody")


async def test_the_service_answers_both_of_its_contracts_and_needs_nobody(
    database_url: str,
) -> None:
    location = DatabaseLocation(url=database_url, embedded=True)
    resources = Resources(location, nobody)  # type: ignore[arg-type]
    async with start(resources) as provided:
        answered = {each.descriptor for each in provided}
        assert answered == {AUTHENTICATION_API, AUTHENTICATION}
        assert {api.descriptor for api in SERVICE.http} == {AUTHENTICATION_API}
        assert SERVICE.needs == ()
        assert SERVICE.publishes == (USER_DELETED,)
        api = AuthenticationApiStub(strict_channel(*provided))
        await api.register_user(RegisterUserRequest(email="ann@example.org", password="password"))
    async with start(resources) as provided:
        api = AuthenticationApiStub(strict_channel(*provided))
        ann = AuthenticateRequest(email="ann@example.org", password="password")
        await api.authenticate(ann)


async def test_keys_that_are_sealed_fail_a_start_without_their_key(tmp_path: Path) -> None:
    location = DatabaseLocation(url=f"sqlite:///{tmp_path}/authentication.db", embedded=True)
    file = tmp_path / "key"
    file.write_text(base64.b64encode(b"k" * 32).decode())
    given = {"key_encryption_key_file": Setting(str(file), "shop.toml:3")}
    settings = ServiceSettings("authentication", given)
    async with start(Resources(location, nobody, settings=settings)):  # type: ignore[arg-type]
        pass
    with pytest.raises(SettingsError, match="sealed, and no key is given"):
        async with start(Resources(location, nobody)):  # type: ignore[arg-type]
            raise AssertionError("it was started")
