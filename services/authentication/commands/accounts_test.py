from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from seam.persistence import Database, open_database
from seam.persistence.migrations.steps import upgrade
from services.authentication.commands.accounts import commands
from services.authentication.domain.email_address import read_email_address
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.persistence.migrations import MIGRATIONS
from services.authentication.persistence.signing_keys import SigningKeyRepository
from services.authentication.persistence.tables import Table
from services.authentication.signing.sealing import KEY_VARIABLE


@pytest.fixture
def database_url(database_url: str) -> str:
    """URL of a database with one account, `ann`."""
    upgrade(database_url, MIGRATIONS)

    async def add() -> None:
        async with open_database(database_url, Table.metadata) as database:
            email = read_email_address("ann@example.org")
            await AccountRepository(database).add("ann", email, "hash", 1)

    asyncio.run(add())
    return database_url


def run(url: str, *command: str) -> object:
    """Run a command as its command line does, and give the exit code."""
    return commands(
        [*command, "--database", f"authentication={url}"],
        result_action="return_value",
        exit_on_error=False,
    )


def roles(url: str) -> tuple[str, ...]:
    async def read() -> tuple[str, ...]:
        async with open_database(url, Table.metadata) as database:
            return await AccountRepository(database).roles("ann")

    return asyncio.run(read())


def keys(url: str) -> list[tuple[int, str]]:
    async def read(database: Database) -> list[tuple[int, str]]:
        return [
            (key.generation, key.private.partition(":")[0])
            for key in await SigningKeyRepository(database).all()
        ]

    async def opened() -> list[tuple[int, str]]:
        async with open_database(url, Table.metadata) as database:
            return await read(database)

    return asyncio.run(opened())


def test_roles_are_granted_and_revoked_by_address(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, expected, said in (
        ("grant", ("agent",), "ann@example.org: agent\n"),
        ("grant", ("agent",), "ann@example.org has the role already\n"),
        ("revoke-role", (), "ann@example.org: agent\n"),
        ("revoke-role", (), "ann@example.org does not have the role\n"),
    ):
        assert run(database_url, command, "ANN@example.org", "agent") == 0
        assert capsys.readouterr().out == said
        assert roles(database_url) == expected


@pytest.mark.parametrize(
    ("email", "role", "said"),
    [
        ("bob@example.org", "agent", "there is no account 'bob@example.org'"),
        ("ann@example.org", "Agent!", "'Agent!' is no role; expected up to 32 of a-z"),
        ("ann", "agent", "email: is no e-mail address; expected one such as"),
    ],
)
def test_what_cannot_be_granted_is_said(
    database_url: str, capsys: pytest.CaptureFixture[str], email: str, role: str, said: str
) -> None:
    assert run(database_url, "grant", email, role) == 1
    assert said in capsys.readouterr().err
    assert roles(database_url) == ()


def test_keys_are_rotated(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert run(database_url, "rotate-keys") == 0
    assert [generation for generation, _ in keys(database_url)] == [1, 2]
    assert run(database_url, "rotate-keys", "--at-once") == 0
    assert [generation for generation, _ in keys(database_url)] == [3]
    assert capsys.readouterr().out.count(" signs from 20") == 3


def test_a_rotated_key_is_sealed_as_the_service_would_seal_it(
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    file = tmp_path / "key"
    file.write_text(base64.b64encode(b"k" * 32).decode())
    setting = ("--setting", f"authentication.key_encryption_key_file={file}")
    assert run(database_url, "rotate-keys") == 0
    assert run(database_url, "rotate-keys", *setting) == 0
    assert keys(database_url) == [(1, "plain"), (2, "aes-256-gcm")]
    assert run(database_url, "rotate-keys") == 1
    assert "sealed, and no key is given" in capsys.readouterr().err
