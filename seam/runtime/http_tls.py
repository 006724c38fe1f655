"""TLS at the HTTP port, from a certificate and a key in files."""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from seam.runtime.service_settings import SettingsError

log = logging.getLogger(__name__)

MAXIMUM_BYTES: Final = 1_048_576
"""A chain of certificates is smaller by far."""


class HttpTls:
    """What the HTTP port shows to clients, which can be renewed while it serves.

    Attributes:
        context: TLS 1.2 and later, HTTP/1.1.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files.

        Args:
            certificate: PEM file of the chain, the server's first.
            key: PEM file of its private key.

        Raises:
            SettingsError: a file cannot be used, or they do not belong together.
        """
        self._certificate = certificate
        self._key = key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()

    def renew(self) -> None:
        """Read the files again; new connections see what they hold now.

        A pair that cannot be used leaves the old one in use.
        """
        try:
            self._load()
        except SettingsError as error:
            log.error("the certificate before stays in use: %s", error)  # noqa: TRY400
        else:
            log.info("serving the certificate that is in %s now", self._certificate)

    def _load(self) -> None:
        check_pair(self._certificate, self._key)
        try:
            self.context.load_cert_chain(self._certificate, self._key, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"[http] certificate {self._certificate}: {error}") from None


def check_pair(certificate: Path, key: Path) -> None:
    """Check that a certificate and a key can be used together.

    Raises:
        SettingsError: they cannot; names the setting, the file, and what was expected.
    """
    chain_text, key_text = _read("certificate", certificate), _read("key", key)
    try:
        leaf = x509.load_pem_x509_certificates(chain_text)[0]
        of_certificate = _public(leaf.public_key())
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(
            f"[http] certificate {certificate}: expected certificates in PEM, the server's first"
        ) from None
    try:
        of_key = _public(load_pem_private_key(key_text, password=None).public_key())
    except TypeError:
        raise SettingsError(
            f"[http] key {key}: expected a key without a passphrase; who may read it is up to "
            "the file's owner and mode"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"[http] key {key}: expected a private key in PEM") from None
    if of_certificate != of_key:
        raise SettingsError(
            f"[http] key {key}: does not belong to the first certificate of {certificate}"
        )
    if leaf.not_valid_after_utc < datetime.now(UTC):
        log.warning("the certificate in %s ended on %s", certificate, leaf.not_valid_after_utc)


def _read(name: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAXIMUM_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(f"[http] {name} {path}: cannot read it: {reason}") from None


def _public(key: object) -> bytes:
    # All kinds of keys have this method, and no class in common.
    encode = key.public_bytes  # type: ignore[attr-defined]
    encoded: bytes = encode(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _no_password() -> str:
    # Or the library would ask at the terminal.
    return ""
