"""Certificates of processes: read and checked, so that what is wrong with a file is said at once.

A certificate names, as DNS names, the services that a process may call as and answer for. Only the
authorities of the system's own `ca` file sign them: whoever they sign for is a part of the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtensionOID

__all__ = ["CertificateError", "CertificateFiles", "names_of", "read_certificate_files"]

T = TypeVar("T")


class CertificateError(ValueError):
    """A file of a process's identity cannot be used; the text names it and what was expected."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """What the files of a process hold, in PEM.

    Attributes:
        ca: certificates of the authorities.
        chain: the process's certificate, and those between it and the authorities.
        key: its private key.
        names: the names in its certificate.
        expires: when it does, in UTC.
    """

    ca: bytes
    chain: bytes
    key: bytes
    names: frozenset[str]
    expires: datetime

    def __repr__(self) -> str:
        """The names: the key is nobody's business."""
        return f"CertificateFiles({sorted(self.names)})"


def read_certificate_files(
    ca: Path, certificate: Path, key: Path, *, needed: Iterable[str], now: datetime | None = None
) -> CertificateFiles:
    """Read the files of a process and check that they go together.

    Args:
        ca: certificates of the authorities.
        certificate: the process's certificate.
        key: its private key.
        needed: the names that must be in the certificate.
        now: the time; by default, that of the clock.

    Raises:
        CertificateError: one cannot be read, is none, has expired, or belongs to another.
    """
    ca_text, chain_text, key_text = (_content(path) for path in (ca, certificate, key))
    authorities = _parsed(ca, "certificates", x509.load_pem_x509_certificates, ca_text)
    chain = _parsed(certificate, "certificates", x509.load_pem_x509_certificates, chain_text)
    private = _parsed(
        key,
        "a private key without a password",
        lambda pem: load_pem_private_key(pem, None),
        key_text,
    )
    own, moment = chain[0], now or datetime.now(UTC)
    if _public(own) != private.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ):
        raise CertificateError(f"{key} is not the key of {certificate}")
    for path, each in ((certificate, own), *((ca, authority) for authority in authorities)):
        _check_time(path, each, moment)
    _check_signed(ca, certificate, chain, authorities)
    names = names_of(own)
    missing = sorted(set(needed) - names)
    if missing:
        raise CertificateError(
            f"{certificate} does not name {', '.join(missing)}, but "
            f"{', '.join(sorted(names)) or 'nobody'}; expected a DNS name for each"
        )
    return CertificateFiles(ca_text, chain_text, key_text, names, own.not_valid_after_utc)


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """The DNS names that a certificate names as subjects."""
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except (x509.ExtensionNotFound, ValueError):
        return frozenset()
    value = extension.value
    if not isinstance(value, x509.SubjectAlternativeName):
        return frozenset()
    return frozenset(value.get_values_for_type(x509.DNSName))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None


def _parsed(path: Path, what: str, parse: Callable[[bytes], T], content: bytes) -> T:
    try:
        return parse(content)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError(f"{path}: expected {what}, in PEM") from None


def _check_time(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise CertificateError(f"{path} has expired, on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if now < certificate.not_valid_before_utc:
        raise CertificateError(
            f"{path} does not hold before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        )


def _check_signed(
    ca: Path,
    path: Path,
    chain: list[x509.Certificate],
    authorities: list[x509.Certificate],
) -> None:
    for certificate, issuers in zip(
        chain, [*([each] for each in chain[1:]), authorities], strict=True
    ):
        if not any(_is_signed_by(certificate, issuer) for issuer in issuers):
            raise CertificateError(f"{path} is not signed by an authority of {ca}")


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
