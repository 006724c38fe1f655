"""An authority for development: signs certificates for the processes of a system on one machine.

It keeps its private key in the same folder as what it signs. A system that others depend on has an
authority of its own; all that counts is what the files hold, see `seam.auth.certificates`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from seam.auth.certificates import CertificateError, read_certificate_files

__all__ = ["Issued", "issue_certificates"]

CA: Final = "ca"
"""The name of the authority's files; no process is called so."""

CA_LIFETIME: Final = timedelta(days=3_650)
LIFETIME: Final = timedelta(days=90)

RENEWED_BEFORE: Final = timedelta(days=30)
"""How long before it expires a certificate is made anew."""

_SKEW: Final = timedelta(minutes=5)
"""By how much the clocks of two machines may differ."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate of a process.

    Attributes:
        path: its file.
        names: the services that it names.
        expires: when it does, in UTC.
        is_new: whether it was made now.
    """

    path: Path
    names: tuple[str, ...]
    expires: datetime
    is_new: bool


def issue_certificates(
    directory: Path, processes: Mapping[str, Iterable[str]], *, now: datetime | None = None
) -> list[Issued]:
    """Make what is missing, about to expire or names other services; leave the rest as it is.

    Makes `ca.pem` and `ca.key`, and `NAME.pem` and `NAME.key` for each process.

    Args:
        directory: the folder, which is made if it is not there.
        processes: the names in the certificate of each process, by the name of the process.
        now: the time; by default, that of the clock.

    Raises:
        CertificateError: a process cannot be called as it is, or a file cannot be used or written.
    """
    moment = now or datetime.now(UTC)
    for name in processes:
        if name == CA or not name or name in {".", ".."} or "/" in name or "\0" in name:
            raise CertificateError(f"a process called {name!r} cannot have a file of that name")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(directory, moment)
        return [
            _of_process(directory, authority, name, tuple(names), moment)
            for name, names in processes.items()
        ]
    except OSError as error:
        raise CertificateError(f"{error.filename or directory}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _authority(directory: Path, now: datetime) -> _Authority:
    path, key_path = directory / f"{CA}.pem", directory / f"{CA}.key"
    if path.exists() and key_path.exists():
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            key = load_pem_private_key(key_path.read_bytes(), None)
        except (ValueError, TypeError):
            raise CertificateError(
                f"{path} and {key_path}: expected a certificate and its key, in PEM; "
                "remove both to have new ones"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or (
            key.public_key() != certificate.public_key()
        ):
            raise CertificateError(
                f"{key_path} is not the key of {path}; remove both to have new ones"
            )
        if certificate.not_valid_after_utc > now + LIFETIME:
            return _Authority(certificate, key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("development authority")
    certificate = (
        _builder(name, name, key, now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _pem(key))
    _write(path, certificate.public_bytes(Encoding.PEM))
    return _Authority(certificate, key)


def _of_process(
    directory: Path, authority: _Authority, name: str, names: tuple[str, ...], now: datetime
) -> Issued:
    path, key_path = directory / f"{name}.pem", directory / f"{name}.key"
    try:
        found = read_certificate_files(
            directory / f"{CA}.pem", path, key_path, needed=names, now=now
        )
    except CertificateError:
        found = None
    if (
        found is not None
        and found.names == frozenset(names)
        and found.expires > now + RENEWED_BEFORE
    ):
        return Issued(path, names, found.expires, is_new=False)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(name), authority.certificate.subject, key, now, LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            # Every process answers and calls.
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    _write(key_path, _pem(key))
    _write(path, certificate.public_bytes(Encoding.PEM))
    return Issued(path, names, certificate.not_valid_after_utc, is_new=True)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + lifetime)
    )


def _name(text: str) -> x509.Name:
    # The field of a common name is this long: https://www.rfc-editor.org/rfc/rfc5280#appendix-A.1.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    new.replace(path)
