"""The public keys of an issuer, by which its tokens are verified.

A key says by its kind which algorithm it verifies, and a token has no say in it: an algorithm that
a token could choose is how a public key is taken for a shared secret, or no signature for a good
one (https://www.rfc-editor.org/rfc/rfc8725#section-3.1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

__all__ = [
    "EDDSA",
    "ES256",
    "MAXIMUM_KEYS_BYTES",
    "RS256",
    "KeysError",
    "VerifyingKey",
    "read_keys",
]

EDDSA: Final = "EdDSA"
RS256: Final = "RS256"
ES256: Final = "ES256"

MAXIMUM_KEYS_BYTES: Final = 64 * 2**10
"""A document of keys."""

MAXIMUM_KEYS: Final = 64

_KINDS: Final = frozenset({"OKP", "RSA", "EC"})

_RSA_BITS: Final = range(2048, 8193)
"""Fewer can be broken; more take so long to verify that a flood of tokens would be felt."""


class KeysError(ValueError):
    """A document holds no keys that can be used; the text says what was expected."""


class VerifyingKey:
    """One public key of an issuer.

    Attributes:
        algorithm: what a token must say in `alg` that it is signed with.
    """

    __slots__ = ("_key", "_model", "algorithm", "fingerprint")

    def __init__(self, key: OKPKey | RSAKey | ECKey, algorithm: str) -> None:
        """Verify with `key` by `algorithm`."""
        self.algorithm = algorithm
        self.fingerprint = key.thumbprint()
        self._key = key
        self._model = JWSRegistry.algorithms[algorithm]

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Whether `signature` was made of `signed` with the private key of this one."""
        return self._model.verify(signed, signature, self._key)


class _Key(msgspec.Struct):
    """What is read of a key before it is imported."""

    kty: str
    kid: str = ""
    crv: str = ""
    use: str = "sig"
    alg: str = ""
    key_ops: tuple[str, ...] = ("verify",)


class _Document(msgspec.Struct):
    keys: tuple[msgspec.Raw, ...]


def read_keys(document: bytes, algorithms: Collection[str]) -> Mapping[str, VerifyingKey]:
    """Read the keys of a JSON Web Key Set, by their identifier.

    Keys that are for something else, or of another algorithm, are left out, and so are those
    without an identifier.

    Source: https://www.rfc-editor.org/rfc/rfc7517.

    Args:
        document: the JSON text.
        algorithms: those that the issuer may use.

    Raises:
        KeysError: the document is no such set, or none of its keys can be used.
    """
    if len(document) > MAXIMUM_KEYS_BYTES:
        raise KeysError(f"expected keys of at most {MAXIMUM_KEYS_BYTES} bytes")
    try:
        listed = msgspec.json.decode(document, type=_Document).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeysError(f'expected a JSON Web Key Set, {{"keys": […]}}: {error}') from None
    if len(listed) > MAXIMUM_KEYS:
        raise KeysError(f"expected at most {MAXIMUM_KEYS} keys")
    found: dict[str, VerifyingKey] = {}
    for raw in listed:
        entry = _read(bytes(raw), algorithms)
        if entry is None:
            continue
        identifier, key = entry
        if identifier in found:
            raise KeysError(f"two keys have the identifier {identifier!r:.80}")
        found[identifier] = key
    if not found:
        expected = ", ".join(sorted(algorithms))
        raise KeysError(f"no key can be used; expected one with a kid, for {expected}")
    return MappingProxyType(found)


def _read(raw: bytes, algorithms: Collection[str]) -> tuple[str, VerifyingKey] | None:
    try:
        stated = msgspec.json.decode(raw, type=_Key)
        if (
            stated.kty not in _KINDS
            or stated.use != "sig"
            or "verify" not in stated.key_ops
            or not stated.kid
        ):
            return None
        parameters = msgspec.json.decode(raw, type=dict[str, str | list[str]])
        if "d" in parameters:
            raise KeysError(f"the key {stated.kid!r:.80} is a private one; expected public keys")
        parameters.pop("key_ops", None)
        parameters.pop("use", None)
        key = import_key(parameters)
    except (msgspec.DecodeError, JoseError, ValueError) as error:
        if isinstance(error, KeysError):
            raise
        return None
    algorithm = _algorithm(key)
    if algorithm not in algorithms or stated.alg not in {"", algorithm}:
        return None
    if isinstance(key, (OKPKey, RSAKey, ECKey)):
        return stated.kid, VerifyingKey(key, algorithm)
    return None


def _algorithm(key: object) -> str:
    """The one algorithm that a key is used for; "" when there is none."""
    if isinstance(key, OKPKey):
        return EDDSA if key.curve_name == "Ed25519" else ""
    if isinstance(key, RSAKey):
        return RS256 if key.public_key.key_size in _RSA_BITS else ""
    if isinstance(key, ECKey):
        return ES256 if key.curve_name == "P-256" else ""
    return ""
