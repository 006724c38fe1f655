"""Answers clients: who they are, and how they stay signed in.

Nothing that is answered, nor how long it takes, tells whether there is an account with an address:
the same attempts are counted, the same work is done, and the same is written to the disk.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from seam.call import current_principal
from seam.contract import Code, InvalidArgumentError, InvalidField, StatusError
from seam.events import publish
from seam.persistence import Database, Transaction
from services.authentication.domain.clock import Clock
from services.authentication.domain.email_address import read_email_address
from services.authentication.domain.lifetimes import ACCESS_TOKEN_SECONDS
from services.authentication.domain.password import read_password
from services.authentication.domain.password_hashing import PasswordHashing
from services.authentication.domain.refresh_token import hash_of, new_refresh_token
from services.authentication.persistence.accounts import Account, AccountRepository
from services.authentication.persistence.attempts import AttemptRepository
from services.authentication.persistence.sessions import SessionRepository
from services.authentication.records.api import (
    AuthenticateRequest,
    ChangePasswordRequest,
    DeleteUserRequest,
    DeleteUserResponse,
    GetJsonWebKeySetRequest,
    GetUserRequest,
    InvalidCredentials,
    InvalidCredentialsError,
    InvalidRefreshToken,
    InvalidRefreshTokenError,
    JsonWebKeySet,
    LogOutRequest,
    LogOutResponse,
    RefreshTokensRequest,
    RegisterUserRequest,
    RegisterUserResponse,
    Tokens,
    TooManyAttempts,
    TooManyAttemptsError,
    User,
    UserNotFound,
    UserNotFoundError,
)
from services.authentication.records.messagebus import UserDeleted
from services.authentication.records.messagebus_events import USER_DELETED
from services.authentication.signing.access_token import Bearer
from services.authentication.signing.key_store import KeyStore

_TOKEN_TYPE: Final = "Bearer"  # noqa: S105
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class AuthenticationApi:
    """Handler of `authentication.v1.AuthenticationApi`."""

    def __init__(
        self, database: Database, passwords: PasswordHashing, keys: KeyStore, clock: Clock
    ) -> None:
        """Keep accounts in `database`, and sign tokens with `keys` by the time of `clock`."""
        self._database = database
        self._accounts = AccountRepository(database)
        self._passwords = passwords
        self._keys = keys
        self._clock = clock

    async def register_user(self, request: RegisterUserRequest) -> RegisterUserResponse:
        """The address, whether or not it had an account before."""
        with _refusing():
            email = read_email_address(request.email)
            password = read_password("password", request.password)
        subject = _attempted("register", email.key)
        await self._begin_attempt(subject)
        hashed = await self._passwords.hash(password)
        now = self._clock()
        async with self._database.transaction() as transaction:
            await AccountRepository(transaction).add(str(uuid.uuid4()), email, hashed, now)
            # Where there is an account, this alone is written, and as long is waited for the disk.
            await AttemptRepository(transaction).touch(subject, now)
        return RegisterUserResponse(email=email.shown)

    async def authenticate(self, request: AuthenticateRequest) -> Tokens:
        """The tokens of a new session."""
        with _refusing():
            email = read_email_address(request.email)
            password = read_password("password", request.password)
        await self._begin_attempt(_attempted("log-in", email.key))
        account = await self._accounts.by_email(email)
        hashed = None if account is None else account.password_hash
        if not await self._passwords.verify(hashed, password) or account is None:
            raise InvalidCredentialsError(InvalidCredentials())
        outdated = self._passwords.is_outdated(account.password_hash)
        anew = await self._passwords.hash(password) if outdated else account.password_hash
        async with self._database.transaction() as transaction:
            await _lock_as_seen(transaction, account)
            await AccountRepository(transaction).set_password(account.user_id, anew)
            bearer, token = await self._begin_session(transaction, account)
        return await self._tokens(bearer, token)

    async def refresh_tokens(self, request: RefreshTokensRequest) -> Tokens:
        """The next tokens of a session."""
        presented = hash_of(request.refresh_token)
        token, now = new_refresh_token(), self._clock()
        bearer: Bearer | None = None
        async with self._database.transaction() as transaction:
            accounts, sessions = AccountRepository(transaction), SessionRepository(transaction)
            account = await accounts.lock_by_token(presented)
            found = await sessions.presented(presented)
            if account is not None and found is not None:
                if found.is_good(now):
                    await sessions.rotate(presented, found.session_id, hash_of(token), now)
                    roles = await accounts.roles(account.user_id)
                    bearer = Bearer(account.user_id, found.session_id, roles)
                else:
                    await sessions.end(found.session_id)
        if bearer is None:
            raise InvalidRefreshTokenError(InvalidRefreshToken())
        return await self._tokens(bearer, token)

    async def log_out(self, request: LogOutRequest) -> LogOutResponse:
        """Nothing, once the session has ended."""
        presented = hash_of(request.refresh_token)
        async with self._database.transaction() as transaction:
            await AccountRepository(transaction).lock_by_token(presented)
            sessions = SessionRepository(transaction)
            found = await sessions.presented(presented)
            if found is not None:
                await sessions.end(found.session_id)
        return LogOutResponse()

    async def get_user(self, _: GetUserRequest) -> User:
        """The account of who asks."""
        account = await self._account()
        return User(
            user_id=account.user_id,
            email=account.email,
            roles=await self._accounts.roles(account.user_id),
            registered_at=_EPOCH + timedelta(microseconds=account.registered_at),
        )

    async def change_password(self, request: ChangePasswordRequest) -> Tokens:
        """The tokens of a new session, the only one from now on."""
        with _refusing():
            current = read_password("current_password", request.current_password)
            new = read_password("new_password", request.new_password)
        account = await self._account()
        await self._begin_attempt(_attempted("log-in", account.email_key))
        if not await self._passwords.verify(account.password_hash, current):
            raise InvalidCredentialsError(InvalidCredentials())
        hashed = await self._passwords.hash(new)
        async with self._database.transaction() as transaction:
            await _lock_as_seen(transaction, account)
            await AccountRepository(transaction).set_password(account.user_id, hashed)
            await SessionRepository(transaction).end_all(account.user_id)
            bearer, token = await self._begin_session(transaction, account)
        return await self._tokens(bearer, token)

    async def delete_user(self, _: DeleteUserRequest) -> DeleteUserResponse:
        """Nothing, once there is no account any more."""
        user_id = current_principal().subject
        async with self._database.transaction() as transaction:
            accounts = AccountRepository(transaction)
            account = await accounts.lock(user_id)
            if account is not None:
                await SessionRepository(transaction).end_all(user_id)
                await AttemptRepository(transaction).forget(_attempted("log-in", account.email_key))
                await accounts.remove(user_id)
                await publish(transaction, USER_DELETED, UserDeleted(user_id=user_id))
        return DeleteUserResponse()

    async def get_json_web_key_set(self, _: GetJsonWebKeySetRequest) -> JsonWebKeySet:
        """The public keys."""
        return await self._keys.key_set()

    async def _account(self) -> Account:
        user_id = current_principal().subject
        account = await self._accounts.find(user_id)
        if account is None:
            raise UserNotFoundError(UserNotFound(user_id=user_id))
        return account

    async def _begin_attempt(self, subject: str) -> None:
        async with self._database.transaction() as transaction:
            seconds = await AttemptRepository(transaction).begin(subject, self._clock())
        if seconds:
            raise TooManyAttemptsError(TooManyAttempts(retry_after_seconds=seconds))

    async def _begin_session(
        self, transaction: Transaction, account: Account
    ) -> tuple[Bearer, str]:
        """Begin a session of somebody who has given the right password."""
        await AttemptRepository(transaction).forget(_attempted("log-in", account.email_key))
        session_id, token = str(uuid.uuid4()), new_refresh_token()
        await SessionRepository(transaction).begin(
            session_id, account.user_id, hash_of(token), self._clock()
        )
        roles = await AccountRepository(transaction).roles(account.user_id)
        return Bearer(account.user_id, session_id, roles), token

    async def _tokens(self, bearer: Bearer, refresh_token: str) -> Tokens:
        return Tokens(
            access_token=await self._keys.access_token(bearer),
            token_type=_TOKEN_TYPE,
            expires_in=ACCESS_TOKEN_SECONDS,
            refresh_token=refresh_token,
        )


async def _lock_as_seen(transaction: Transaction, seen: Account) -> None:
    """Lock an account, provided that its password is still the one that was compared."""
    found = await AccountRepository(transaction).lock(seen.user_id)
    if found is None or found.password_hash != seen.password_hash:
        raise StatusError(Code.ABORTED, "the account has changed in this moment; try again")


def _attempted(what: str, email_key: str) -> str:
    """What attempts are counted by: nobody's address is kept who has no account."""
    digest = hashlib.sha256(email_key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{what}:{digest}"


@contextmanager
def _refusing() -> Iterator[None]:
    """Refuse the request where a field of it is refused."""
    try:
        yield
    except InvalidField as error:
        raise InvalidArgumentError(error) from None
