"""Who talks to the server, and how what is said stays between the two."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from email.headerregistry import Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seam.testing.smtp import smtp_server
from services.notifications.sending.server import ServerAwayError, ServerLocation, connected

MESSAGE = b"From: shop@example.com\r\nTo: ann@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"


def location(
    port: int, *, ca_file: str = "", username: str = "", password: str = ""
) -> ServerLocation:
    return ServerLocation(
        host="127.0.0.1",
        port=port,
        implicit_tls=False,
        username=username,
        password=password,
        ca_file=ca_file,
        sender=Address("The shop", "shop", "example.com"),
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def send(to: ServerLocation) -> None:
    async with connected(to) as server:
        await server.send("ann@example.com", MESSAGE)


async def test_tls_is_begun_where_the_server_offers_it_and_a_password_is_given_inside(
    certificate: Path,
) -> None:
    with smtp_server(tls=tls(certificate), login=("ann", "secret")) as server:
        here = location(server.port, ca_file=str(certificate), username="ann", password="secret")
        await send(here)
        assert server.encrypted
        assert len(server.mails) == 1


async def test_a_password_is_never_given_without_tls() -> None:
    with smtp_server() as server:
        with pytest.raises(ServerAwayError, match="STARTTLS"):
            await send(location(server.port, username="ann", password="secret"))
        assert server.mails == []


async def test_a_server_whose_certificate_nobody_has_signed_gets_no_mail(certificate: Path) -> None:
    with smtp_server(tls=tls(certificate)) as server:
        with pytest.raises(ServerAwayError):
            await send(location(server.port))
        assert server.mails == []


async def test_a_wrong_password_is_no_fault_of_the_mail(certificate: Path) -> None:
    with smtp_server(tls=tls(certificate), login=("ann", "secret")) as server:
        here = location(server.port, ca_file=str(certificate), username="ann", password="wrong")
        with pytest.raises(ServerAwayError, match="535"):
            await send(here)
        assert server.mails == []


async def test_the_dot_that_ends_a_mail_ends_none_before_its_end() -> None:
    hidden = MESSAGE + b"one\r\n.\r\nMAIL FROM:<eve@example.com>\r\n..\r\nlast\r\n"
    with smtp_server() as server:
        async with connected(location(server.port)) as connection:
            await connection.send("ann@example.com", hidden)
        (mail,) = server.mails
        assert mail.raw == hidden
