"""Private keys as they lie in the database: sealed, if somebody has given a key for that.

Who can read the database could otherwise sign tokens. A sealed key is encrypted with AES-256-GCM,
https://www.rfc-editor.org/rfc/rfc5116, and bound to its generation. Keys from before a key was
given stay readable; the next one is sealed.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from seam.runtime.service_settings import ServiceSettings

KEY_VARIABLE: Final = "SEAM_AUTHENTICATION_KEY_ENCRYPTION_KEY"
"""Environment variable of the key that seals, unless a file holds it."""

_PLAIN: Final = "plain:"
_SEALED: Final = "aes-256-gcm:"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_EXPECTED: Final = "expected 32 bytes in base64, such as `openssl rand -base64 32` prints"


class AuthenticationSettings(msgspec.Struct, frozen=True):
    """What authentication knows of its surroundings.

    Attributes:
        key_encryption_key_file: file that holds the key by which private keys are sealed; without
            it and without the environment variable they are not.
    """

    key_encryption_key_file: str = ""


class CannotUnsealError(ValueError):
    """A private key is sealed by another key than was given, or none was given."""


class Sealing:
    """Seals private keys, and opens them."""

    def __init__(self, key: bytes | None) -> None:
        """Seal with `key` of 32 bytes, or not at all."""
        self._cipher = None if key is None else AESGCM(key)

    def seal(self, generation: int, private: Ed25519PrivateKey) -> str:
        """What is stored of a private key."""
        raw = private.private_bytes_raw()
        if self._cipher is None:
            return _PLAIN + base64.b64encode(raw).decode()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, raw, _bound_to(generation))
        return _SEALED + base64.b64encode(sealed).decode()

    def open(self, generation: int, stored: str) -> Ed25519PrivateKey:
        """The private key of what is stored.

        Raises:
            CannotUnsealError: it is sealed by another key.
        """
        if stored.startswith(_PLAIN):
            raw = base64.b64decode(stored.removeprefix(_PLAIN))
            return Ed25519PrivateKey.from_private_bytes(raw)
        if self._cipher is None:
            raise CannotUnsealError("the keys in the database are sealed, and no key is given")
        sealed = base64.b64decode(stored.removeprefix(_SEALED))
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            raw = self._cipher.decrypt(nonce, rest, _bound_to(generation))
        except InvalidTag:
            raise CannotUnsealError("the keys in the database are sealed by another key") from None
        return Ed25519PrivateKey.from_private_bytes(raw)


def sealing_of(settings: ServiceSettings) -> Sealing:
    """How private keys are sealed, by what was set.

    Raises:
        SettingsError: a setting cannot be used.
    """
    name = "key_encryption_key_file"
    file = settings.read(AuthenticationSettings).key_encryption_key_file
    if not file:
        text = os.environ.get(KEY_VARIABLE)
        if text is None:
            return Sealing(None)
        key = _key(text)
        if key is None:
            raise settings.error(name, f"{KEY_VARIABLE}: {_EXPECTED}")
        return Sealing(key)
    try:
        key = _key(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise settings.error(name, f"cannot be read: {error}") from None
    if key is None:
        raise settings.error(name, f"{file}: {_EXPECTED}")
    return Sealing(key)


def _key(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None


def _bound_to(generation: int) -> bytes:
    return f"authentication signing key {generation}".encode()
