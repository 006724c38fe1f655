"""HTTP over TLS: what is spoken, what is refused at the start, how certificates are renewed."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from seam.runtime.connection_limits import ConnectionLimits
from seam.runtime.http_server import serve_http
from seam.runtime.http_tls import HttpTls
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address

GET: Final = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def write_pair(
    directory: Path, name: str = "shop", *, days: int = 1, password: bytes = b""
) -> None:
    """A certificate that signs itself, for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, SHA256())
    )
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    (directory / "tls.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "tls.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    )


def tls_of(directory: Path) -> HttpTls:
    return HttpTls(directory / "tls.crt", directory / "tls.key")


async def application(scope: Any, _: Any, send: Any) -> None:
    body = scope["scheme"].encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@asynccontextmanager
async def served(tls: HttpTls, **limits: float) -> AsyncIterator[Address]:
    anywhere = Address("127.0.0.1", 0)
    bounds = ConnectionLimits(**limits)  # type: ignore[arg-type]
    context = tls.context
    async with serve_http(application, anywhere, grace=5, limits=bounds, tls=context) as bound:
        yield bound


async def said_over_tls(address: Address, trusted: Path, request: bytes = GET) -> tuple[str, bytes]:
    """Who answers a request, and what."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.set_alpn_protocols(["h2", "http/1.1"])
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            body = await reader.readexactly(length)
        link: Any = writer.get_extra_info("ssl_object")
        assert link.selected_alpn_protocol() == "http/1.1"
        [[(_, name)]] = link.getpeercert()["subject"]
        return name, head + body
    finally:
        writer.close()


async def test_requests_are_answered_over_tls(tmp_path: Path) -> None:
    write_pair(tmp_path)
    async with served(tls_of(tmp_path)) as address:
        name, said = await said_over_tls(address, tmp_path / "tls.crt")
    assert name == "shop"
    assert said.startswith(b"HTTP/1.1 200")
    assert said.endswith(b"https")


async def test_what_is_refused_is_refused_over_tls_too(tmp_path: Path) -> None:
    write_pair(tmp_path)
    async with served(tls_of(tmp_path)) as address:
        _, said = await said_over_tls(address, tmp_path / "tls.crt", b"nonsense\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400")
    assert b"x-content-type-options: nosniff" in said


async def test_old_versions_of_tls_and_plain_http_are_not_spoken(tmp_path: Path) -> None:
    write_pair(tmp_path)
    async with served(tls_of(tmp_path)) as address:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(tmp_path / "tls.crt")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            await asyncio.open_connection(address.host, address.port, ssl=old)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(GET)
        async with asyncio.timeout(10):
            assert b"HTTP" not in await reader.read()
        writer.close()


async def test_who_says_nothing_instead_of_a_handshake_is_cut_off(tmp_path: Path) -> None:
    write_pair(tmp_path)
    async with served(tls_of(tmp_path), head_seconds=0.2) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_a_certificate_is_renewed_while_the_old_one_is_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_pair(tmp_path, "first")
    tls = tls_of(tmp_path)
    async with served(tls) as address:
        assert (await said_over_tls(address, tmp_path / "tls.crt"))[0] == "first"
        old = (tmp_path / "tls.crt").read_bytes()
        write_pair(tmp_path, "second")
        (tmp_path / "tls.crt").write_bytes(b"broken")
        tls.renew()
        assert "the certificate before stays in use: [http] certificate" in caplog.text
        (tmp_path / "old.crt").write_bytes(old)
        assert (await said_over_tls(address, tmp_path / "old.crt"))[0] == "first"
        write_pair(tmp_path, "second")
        tls.renew()
        assert (await said_over_tls(address, tmp_path / "tls.crt"))[0] == "second"


async def test_what_is_under_way_is_finished_at_the_end(tmp_path: Path) -> None:
    write_pair(tmp_path)
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await release.wait()
        await application(scope, receive, send)

    server = serve_http(slow, Address("127.0.0.1", 0), grace=10, tls=tls_of(tmp_path).context)
    address = await server.__aenter__()
    asked = asyncio.create_task(said_over_tls(address, tmp_path / "tls.crt"))
    await begun.wait()
    ending = asyncio.create_task(server.__aexit__(None, None, None))
    await asyncio.sleep(0)
    release.set()
    _, said = await asked
    await ending
    assert b"connection: close" in said


def refusal(directory: Path) -> str:
    with pytest.raises(SettingsError) as raised:
        tls_of(directory)
    return str(raised.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    expected = f"[http] certificate {tmp_path}/tls.crt: cannot read it: No such file or directory"
    assert refusal(tmp_path) == expected
    write_pair(tmp_path)
    (tmp_path / "tls.key").unlink()
    assert refusal(tmp_path).startswith(f"[http] key {tmp_path}/tls.key: cannot read it")
    (tmp_path / "tls.key").mkdir()
    assert refusal(tmp_path).startswith(f"[http] key {tmp_path}/tls.key: cannot read it")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\0", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_file_that_holds_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    write_pair(tmp_path)
    (tmp_path / "tls.key").write_bytes(content)
    assert refusal(tmp_path) == f"[http] key {tmp_path}/tls.key: expected a private key in PEM"
    write_pair(tmp_path)
    (tmp_path / "tls.crt").write_bytes(content)
    assert refusal(tmp_path).startswith(
        f"[http] certificate {tmp_path}/tls.crt: expected certificates in PEM"
    )


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    write_pair(tmp_path)
    key = (tmp_path / "tls.key").read_bytes()
    write_pair(tmp_path)
    (tmp_path / "tls.key").write_bytes(key)
    assert refusal(tmp_path) == (
        f"[http] key {tmp_path}/tls.key: does not belong to the first certificate of "
        f"{tmp_path}/tls.crt"
    )


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    write_pair(tmp_path, password=b"secret")
    assert "expected a key without a passphrase" in refusal(tmp_path)


def test_a_certificate_that_has_ended_is_served_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    write_pair(tmp_path, days=-1)
    tls_of(tmp_path)
    assert "ended on" in caplog.text
