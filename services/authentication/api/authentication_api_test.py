from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select
from sqlmodel import col

from seam.contract import Code, InvalidArgumentError, StatusError
from seam.persistence import Database, Query
from seam.testing import signed_in, strict_channel
from services.authentication.api.authentication_api import AuthenticationApi
from services.authentication.conftest import AdjustableClock
from services.authentication.domain.email_address import read_email_address
from services.authentication.domain.password_hashing import PasswordHashing, password_hashing
from services.authentication.persistence.accounts import AccountRepository
from services.authentication.persistence.tables import (
    AccountRow,
    AttemptRow,
    RefreshTokenRow,
    SessionRow,
)
from services.authentication.records.api import (
    AuthenticateRequest,
    ChangePasswordRequest,
    DeleteUserRequest,
    GetJsonWebKeySetRequest,
    GetUserRequest,
    InvalidCredentialsError,
    InvalidRefreshTokenError,
    LogOutRequest,
    RefreshTokensRequest,
    RegisterUserRequest,
    RegisterUserResponse,
    Tokens,
    TooManyAttemptsError,
    User,
    UserNotFoundError,
)
from services.authentication.records.api_bus import (
    AuthenticationApiStub,
    register_authentication_api,
)
from services.authentication.signing.key_store import KeyStore

ANN = "Ann@example.org"
PASSWORD = "correct horse"
OTHER = "battery staple"

COUNTS = [
    Query(select(func.count()).select_from(table), int)
    for table in (AccountRow, SessionRow, RefreshTokenRow, AttemptRow)
]


async def register(api: AuthenticationApiStub, email: str = ANN, password: str = PASSWORD) -> None:
    await api.register_user(RegisterUserRequest(email=email, password=password))


async def log_in(api: AuthenticationApiStub, email: str = ANN, password: str = PASSWORD) -> Tokens:
    return await api.authenticate(AuthenticateRequest(email=email, password=password))


async def refresh(api: AuthenticationApiStub, token: str) -> Tokens:
    return await api.refresh_tokens(RefreshTokensRequest(refresh_token=token))


async def is_refused(api: AuthenticationApiStub, token: str) -> bool:
    try:
        await refresh(api, token)
    except InvalidRefreshTokenError:
        return True
    return False


async def user_id_of(database: Database, email: str = ANN) -> str:
    account = await AccountRepository(database).by_email(read_email_address(email))
    assert account is not None
    return account.user_id


async def counts(database: Database) -> list[int | None]:
    """How many accounts, sessions, refresh tokens and kinds of attempts there are."""
    return [await database.fetch_one(count) for count in COUNTS]


# Accounts


async def test_who_has_registered_logs_in_and_sees_their_account(
    api: AuthenticationApiStub, database: Database
) -> None:
    answer = await api.register_user(RegisterUserRequest(email=ANN, password=PASSWORD))
    assert answer == RegisterUserResponse(email=ANN)
    tokens = await log_in(api, "ann@EXAMPLE.org")
    assert (tokens.token_type, tokens.expires_in) == ("Bearer", 900)
    with signed_in(await user_id_of(database)):
        user = await api.get_user(GetUserRequest())
    assert (user.email, user.roles) == (ANN, ())


async def test_a_password_is_the_same_however_its_characters_are_composed(
    api: AuthenticationApiStub,
) -> None:
    await register(api, password="häuser\0bau")
    await log_in(api, password="ha\u0308user\0bau")


async def test_registering_again_answers_the_same_and_changes_nothing(
    api: AuthenticationApiStub,
) -> None:
    await register(api)
    again = await api.register_user(RegisterUserRequest(email="ANN@example.org", password=OTHER))
    assert again == RegisterUserResponse(email="ANN@example.org")
    await log_in(api)
    with pytest.raises(InvalidCredentialsError):
        await log_in(api, password=OTHER)


async def test_of_many_who_register_an_address_at_once_one_has_it(
    api: AuthenticationApiStub, database: Database
) -> None:
    passwords = [f"password {number}" for number in range(5)]
    await asyncio.gather(*(register(api, password=each) for each in passwords))
    found = []
    for each in passwords:
        try:
            found.append(await log_in(api, password=each))
        except InvalidCredentialsError:
            continue
    assert len(found) == 1
    assert (await counts(database))[0] == 1


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("ann", PASSWORD, "email"),
        ("", PASSWORD, "email"),
        ("a" * 10**6, PASSWORD, "email"),
        ("ann\0@example.org", PASSWORD, "email"),
        (ANN, "", "password"),
        (ANN, "7 chars", "password"),
        (ANN, "x" * 129, "password"),
        (ANN, "x" * 10**6, "password"),
    ],
)
async def test_what_cannot_be_an_account_is_refused_by_field_before_any_work(
    api: AuthenticationApiStub, database: Database, email: str, password: str, field: str
) -> None:
    for call in (register, log_in):
        with pytest.raises(StatusError) as caught:
            await call(api, email, password)
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert field in caught.value.message
        assert len(caught.value.message) < 200
    assert await counts(database) == [0, 0, 0, 0]


# Nothing tells whether there is an account


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    api: AuthenticationApiStub,
) -> None:
    await register(api)
    answers = []
    for email in (ANN, "bob@example.org"):
        for _ in range(6):
            with pytest.raises((InvalidCredentialsError, TooManyAttemptsError)) as caught:
                await log_in(api, email, OTHER)
            answers.append((type(caught.value), caught.value.message))
    assert answers[:6] == answers[6:]
    assert answers[4][0] is InvalidCredentialsError
    assert answers[5][0] is TooManyAttemptsError


async def test_the_same_work_is_done_whether_or_not_there_is_an_account(
    database: Database, keys: KeyStore, clock: AdjustableClock
) -> None:
    done: list[str] = []

    class Noting(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            done.append("hash")
            return super().hash(password, salt=salt)

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            done.append("verify")
            return super().verify(hash, password)

    async with password_hashing(Noting(memory_cost=8, time_cost=1, parallelism=1)) as passwords:
        handler = AuthenticationApi(database, passwords, keys, clock)
        api = AuthenticationApiStub(strict_channel(register_authentication_api(handler)))
        await passwords.verify(None, b"The decoy is made by now.")
        done.clear()
        await register(api)
        await register(api, password=OTHER)
        assert done == ["hash", "hash"]
        done.clear()
        for email in (ANN, "bob@example.org"):
            with pytest.raises(InvalidCredentialsError):
                await log_in(api, email, OTHER)
        assert done == ["verify", "verify"]


async def test_registering_writes_to_the_disk_whether_or_not_there_is_an_account(
    api: AuthenticationApiStub, database: Database, clock: AdjustableClock
) -> None:
    last = Query(select(col(AttemptRow.last)), int)
    await register(api)
    clock.advance(10)
    await register(api)
    assert await database.fetch_one(last) == clock.now


# Guessing


async def test_who_guesses_waits_longer_and_longer_and_the_right_password_does_not_help(
    api: AuthenticationApiStub, clock: AdjustableClock
) -> None:
    await register(api)
    for _ in range(5):
        with pytest.raises(InvalidCredentialsError):
            await log_in(api, password=OTHER)
    for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
        with pytest.raises(TooManyAttemptsError) as caught:
            await log_in(api)
        assert caught.value.record.retry_after_seconds == seconds
        assert caught.value.code is Code.RESOURCE_EXHAUSTED
        clock.advance(seconds)
        with pytest.raises(InvalidCredentialsError):
            await log_in(api, password=OTHER)
    clock.advance(60)
    await log_in(api)
    with pytest.raises(InvalidCredentialsError):
        await log_in(api, password=OTHER)


async def test_many_guesses_at_once_are_no_way_around(api: AuthenticationApiStub) -> None:
    await register(api)
    guesses = await asyncio.gather(
        *(log_in(api, password=f"guess {number:3}") for number in range(40)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, InvalidCredentialsError) for each in guesses) == 5
    assert sum(isinstance(each, TooManyAttemptsError) for each in guesses) == 35


async def test_who_guesses_at_one_account_slows_down_no_other(api: AuthenticationApiStub) -> None:
    await register(api)
    for _ in range(6):
        with pytest.raises((InvalidCredentialsError, TooManyAttemptsError)):
            await log_in(api, "bob@example.org", OTHER)
        await log_in(api)


async def test_a_session_goes_on_while_others_guess(api: AuthenticationApiStub) -> None:
    await register(api)
    tokens = await log_in(api)
    for _ in range(6):
        with pytest.raises((InvalidCredentialsError, TooManyAttemptsError)):
            await log_in(api, password=OTHER)
    await refresh(api, tokens.refresh_token)


async def test_registering_one_address_again_and_again_has_to_wait(
    api: AuthenticationApiStub,
) -> None:
    for _ in range(5):
        await register(api)
    with pytest.raises(TooManyAttemptsError):
        await register(api)
    await log_in(api)


async def test_a_hash_with_old_parameters_is_replaced_at_the_next_log_in(
    api: AuthenticationApiStub, database: Database
) -> None:
    await register(api)
    user_id = await user_id_of(database)
    old = PasswordHasher(memory_cost=16, time_cost=2, parallelism=1).hash(PASSWORD)
    await AccountRepository(database).set_password(user_id, old)
    await log_in(api)
    account = await AccountRepository(database).find(user_id)
    assert account is not None
    assert "m=8,t=1" in account.password_hash
    await log_in(api)


# Sessions


async def test_a_refresh_token_gives_the_next_one_once(api: AuthenticationApiStub) -> None:
    await register(api)
    first = await log_in(api)
    second = await refresh(api, first.refresh_token)
    third = await refresh(api, second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert len({first.access_token, second.access_token, third.access_token}) == 3


@pytest.mark.parametrize("stolen", [0, 1])
async def test_a_token_that_is_used_again_ends_the_session_for_both(
    api: AuthenticationApiStub, database: Database, stolen: int
) -> None:
    await register(api)
    other = await log_in(api)
    tokens = [await log_in(api)]
    tokens += [await refresh(api, tokens[0].refresh_token)]
    tokens += [await refresh(api, tokens[1].refresh_token)]
    assert await is_refused(api, tokens[stolen].refresh_token)
    for each in tokens:
        assert await is_refused(api, each.refresh_token)
    # Another device is another session.
    await refresh(api, other.refresh_token)
    assert (await counts(database))[1] == 1


async def test_of_two_who_use_a_token_at_once_one_is_given_tokens_and_they_end(
    api: AuthenticationApiStub,
) -> None:
    await register(api)
    first = await log_in(api)
    answers = await asyncio.gather(
        *(refresh(api, first.refresh_token) for _ in range(2)), return_exceptions=True
    )
    (given,) = [each for each in answers if isinstance(each, Tokens)]
    (refused,) = [each for each in answers if not isinstance(each, Tokens)]
    assert isinstance(refused, InvalidRefreshTokenError)
    assert await is_refused(api, given.refresh_token)


@pytest.mark.parametrize("token", ["", "none", "\0", "a" * 10**6, "ä"])
async def test_what_is_no_refresh_token_is_refused(api: AuthenticationApiStub, token: str) -> None:
    assert await is_refused(api, token)
    await api.log_out(LogOutRequest(refresh_token=token))


async def test_a_session_lasts_as_long_as_somebody_comes_back_within_a_month_but_not_for_ever(
    api: AuthenticationApiStub, clock: AdjustableClock
) -> None:
    await register(api)
    tokens = await log_in(api)
    for _ in range(3):
        clock.advance(29.9 * 86_400)
        tokens = await refresh(api, tokens.refresh_token)
    clock.advance(0.4 * 86_400)
    assert await is_refused(api, tokens.refresh_token)


async def test_a_refresh_token_expires_after_a_month(
    api: AuthenticationApiStub, clock: AdjustableClock
) -> None:
    await register(api)
    tokens = await log_in(api)
    clock.advance(30 * 86_400)
    assert await is_refused(api, tokens.refresh_token)


async def test_a_clock_that_is_set_back_ends_no_session(
    api: AuthenticationApiStub, clock: AdjustableClock
) -> None:
    await register(api)
    tokens = await log_in(api)
    clock.advance(-400 * 86_400)
    tokens = await refresh(api, tokens.refresh_token)
    clock.advance(400 * 86_400)
    assert await is_refused(api, tokens.refresh_token)
    await log_in(api)


@pytest.mark.parametrize("which", [0, 1])
async def test_who_logs_out_ends_the_session_by_any_token_of_it(
    api: AuthenticationApiStub, database: Database, which: int
) -> None:
    await register(api)
    tokens = [await log_in(api)]
    tokens += [await refresh(api, tokens[0].refresh_token)]
    for _ in range(2):
        await api.log_out(LogOutRequest(refresh_token=tokens[which].refresh_token))
    assert await is_refused(api, tokens[1].refresh_token)
    assert (await counts(database))[1:3] == [0, 0]


# Changing the password, and leaving


async def test_a_changed_password_ends_all_sessions_and_begins_one(
    api: AuthenticationApiStub, database: Database
) -> None:
    await register(api)
    before = [await log_in(api) for _ in range(3)]
    with signed_in(await user_id_of(database)):
        tokens = await api.change_password(
            ChangePasswordRequest(current_password=PASSWORD, new_password=OTHER)
        )
    for each in before:
        assert await is_refused(api, each.refresh_token)
    await refresh(api, tokens.refresh_token)
    await log_in(api, password=OTHER)
    with pytest.raises(InvalidCredentialsError):
        await log_in(api)


async def test_who_does_not_know_the_password_cannot_change_it_and_waits_like_who_guesses(
    api: AuthenticationApiStub, database: Database
) -> None:
    await register(api)
    request = ChangePasswordRequest(current_password=OTHER, new_password="a new one")
    with signed_in(await user_id_of(database)):
        for _ in range(5):
            with pytest.raises(InvalidCredentialsError):
                await api.change_password(request)
        with pytest.raises(TooManyAttemptsError):
            await api.change_password(request)
    with pytest.raises(TooManyAttemptsError):
        await log_in(api)


@pytest.mark.parametrize("field", ["current_password", "new_password"])
async def test_a_password_that_is_none_is_refused_by_field(
    api: AuthenticationApiStub, field: str
) -> None:
    passwords = {"current_password": PASSWORD, "new_password": OTHER} | {field: "short"}
    with pytest.raises(StatusError, match=f"{field}: expected 8 to 128") as caught:
        await api.change_password(ChangePasswordRequest(**passwords))
    assert isinstance(caught.value, InvalidArgumentError) or (
        caught.value.code is Code.INVALID_ARGUMENT
    )


async def test_a_session_that_begins_while_the_password_is_changed_does_not_outlive_it(
    api: AuthenticationApiStub, database: Database
) -> None:
    await register(api)
    with signed_in(await user_id_of(database)):
        changing = asyncio.create_task(
            api.change_password(
                ChangePasswordRequest(current_password=PASSWORD, new_password=OTHER)
            )
        )
    answers = await asyncio.gather(
        changing, *(log_in(api) for _ in range(3)), return_exceptions=True
    )
    for each in answers[1:]:
        if isinstance(each, Tokens):
            assert await is_refused(api, each.refresh_token)
        else:
            assert isinstance(each, StatusError)


async def test_who_leaves_leaves_nothing(api: AuthenticationApiStub, database: Database) -> None:
    await register(api, "bob@example.org")
    await log_in(api, "bob@example.org")
    before = await counts(database)
    await register(api)
    tokens = await log_in(api)
    user_id = await user_id_of(database)
    await AccountRepository(database).grant(user_id, "agent")
    with signed_in(user_id):
        for _ in range(2):
            await api.delete_user(DeleteUserRequest())
        for call in (
            api.get_user(GetUserRequest()),
            api.change_password(
                ChangePasswordRequest(current_password=PASSWORD, new_password=OTHER)
            ),
        ):
            with pytest.raises(UserNotFoundError):
                await call
    assert await is_refused(api, tokens.refresh_token)
    with pytest.raises(InvalidCredentialsError):
        await log_in(api)
    assert (await counts(database))[:3] == before[:3]
    # The address is free, and nothing of the old account comes back with it.
    await register(api)
    await log_in(api)
    assert await user_id_of(database) != user_id
    assert await AccountRepository(database).roles(await user_id_of(database)) == ()


async def test_sessions_that_are_begun_and_refreshed_while_an_account_is_deleted_end_with_it(
    api: AuthenticationApiStub, database: Database
) -> None:
    await register(api)
    tokens = [await log_in(api) for _ in range(3)]
    with signed_in(await user_id_of(database)):
        deleting = asyncio.create_task(api.delete_user(DeleteUserRequest()))
    answers = await asyncio.gather(
        deleting,
        *(refresh(api, each.refresh_token) for each in tokens),
        *(log_in(api) for _ in range(3)),
        return_exceptions=True,
    )
    for each in answers[1:]:
        assert isinstance(each, Tokens | StatusError), each
        if isinstance(each, StatusError):
            assert each.code in {Code.UNAUTHENTICATED, Code.ABORTED}
    assert (await counts(database))[:3] == [0, 0, 0]


# Tokens


async def test_roles_are_shown_and_are_in_the_next_token(
    api: AuthenticationApiStub, database: Database
) -> None:
    await register(api)
    user_id = await user_id_of(database)
    for role in ("b", "a"):
        await AccountRepository(database).grant(user_id, role)
    with signed_in(user_id):
        user: User = await api.get_user(GetUserRequest())
    assert user.roles == ("a", "b")


async def test_keys_are_published_as_rfc_7517_has_it(api: AuthenticationApiStub) -> None:
    (key,) = (await api.get_json_web_key_set(GetJsonWebKeySetRequest())).keys
    assert (key.kty, key.crv, key.alg, key.use) == ("OKP", "Ed25519", "EdDSA", "sig")


async def test_too_many_passwords_at_once_are_refused_and_not_queued_without_end(
    api: AuthenticationApiStub, passwords: PasswordHashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.authentication.domain.password_hashing.MAXIMUM_WAITING", 0)
    answers = await asyncio.gather(
        *(register(api, f"user{number}@example.org") for number in range(20)),
        return_exceptions=True,
    )
    assert {each.code for each in answers if isinstance(each, StatusError)} <= {
        Code.RESOURCE_EXHAUSTED
    }
    assert any(each is None for each in answers)
    await register(api)
    await log_in(api)
