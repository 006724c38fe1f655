from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from conformance.handler import Conformance
from conformance.requests import failure_of
from conformance.v1.conformance import EchoRequest, EnterRequest, ObserveRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.auth.certificates import CertificateError, read_certificate_files
from seam.auth.development_authority import issue_certificates
from seam.bus import GrpcChannel, Registration, open_channel
from seam.contract import Code
from seam.runtime import Resources, Service
from seam.runtime.hosting import Bound, hosting
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address, Process, TlsFiles, Topology

ANY = Address("127.0.0.1", 0)

NAMES = {"shown": ("conformance",), "buying": ("orders",), "director": ("director",)}


@dataclass
class Shown:
    """A service that says who called it."""

    handler: Conformance = field(default_factory=Conformance)

    @property
    def service(self) -> Service:
        return Service("conformance", self._start)

    @asynccontextmanager
    async def _start(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        self.handler.itself = ConformanceStub(resources.channel(CONFORMANCE))
        yield (register_conformance(self.handler),)


@dataclass
class Orders:
    """A service that calls the other one."""

    stub: ConformanceStub | None = None

    @property
    def service(self) -> Service:
        return Service("orders", self._start, needs=(CONFORMANCE,))

    @asynccontextmanager
    async def _start(self, resources: Resources) -> AsyncIterator[Sequence[Registration]]:
        self.stub = ConformanceStub(resources.channel(CONFORMANCE))
        yield ()


def copied(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


def share_authority(source: Path, directory: Path) -> None:
    """Let certificates in `directory` be signed by the authority of `source`."""
    directory.mkdir()
    for name in ("ca.pem", "ca.key"):
        copied(source / name, directory / name)


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def files_in(directory: Path) -> TlsFiles:
    return TlsFiles(
        f"{directory}/ca.pem", f"{directory}/{{process}}.pem", f"{directory}/{{process}}.key"
    )


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    directory = tmp_path / "certificates"
    issue_certificates(directory, NAMES)
    return directory


@asynccontextmanager
async def hosted(process: Process, service: Service, topology: Topology) -> AsyncIterator[Bound]:
    nowhere = DatabaseLocation("sqlite:///unused.db", embedded=True)
    async with hosting(
        process, topology, [service], {service.name: nowhere}, title="test"
    ) as bound:
        yield bound


@asynccontextmanager
async def shown(certificates: Path, at: Address = ANY) -> AsyncIterator[Process]:
    """A process that answers with proof; gives it as others find it."""
    process = Process("shown", ("conformance",), grpc=at)
    topology = Topology({"shown": process}, tls=files_in(certificates))
    async with hosted(process, Shown().service, topology) as bound:
        yield replace(process, grpc=bound.grpc)


@asynccontextmanager
async def buying(other: Process, certificates: Path | None) -> AsyncIterator[ConformanceStub]:
    """A process that calls as `orders`; gives its stub."""
    process, orders = Process("buying", ("orders",), grpc=ANY), Orders()
    topology = Topology(
        {"buying": process, "shown": other},
        tls=None if certificates is None else files_in(certificates),
    )
    async with hosted(process, orders.service, topology):
        assert orders.stub is not None
        yield orders.stub


@asynccontextmanager
async def calling(
    at: Process, files: TlsFiles, *, caller: str = "", name: str = "conformance"
) -> AsyncIterator[ConformanceStub]:
    """A program that calls with these files, and says what it likes."""
    credentials = grpc.ssl_channel_credentials(
        read(files.ca),
        read(files.key),
        read(files.certificate),
    )
    async with open_channel(
        str(at.grpc), [CONFORMANCE], credentials=credentials, name=name
    ) as connection:
        yield ConformanceStub(GrpcChannel(connection).called_by(caller))


async def test_a_process_calls_as_the_service_that_its_certificate_names(
    certificates: Path,
) -> None:
    async with shown(certificates) as other, buying(other, certificates) as stub:
        assert (await stub.enter_as_service(EnterRequest(key=""))).caller == "orders"


async def test_another_processs_certificate_does_not_let_it_call_as_a_service(
    certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = files_in(certificates).of("director")
    async with shown(certificates) as other:
        async with calling(other, mine, caller="orders") as stub:
            for call in (stub.enter_as_service(EnterRequest(key="")), stub.echo(EchoRequest())):
                error = await failure_of(call)
                assert error.code is Code.PERMISSION_DENIED
                assert "does not prove" in error.message
        async with calling(other, mine) as stub:
            # What is for everyone it may call, in nobody's name; what is for services it may not.
            assert (await stub.observe(ObserveRequest(respond={}, refuse=False))).caller == ""
            error = await failure_of(stub.enter_as_service(EnterRequest(key="")))
            assert error.code is Code.PERMISSION_DENIED
    told = [each for each in caplog.messages if "in the name of 'orders'" in each]
    assert len(told) == 1
    assert "director" in told[0]


async def test_who_has_no_certificate_of_the_system_does_not_get_in(
    certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = tmp_path / "strange"
    issue_certificates(strange, NAMES)
    expired = tmp_path / "expired"
    share_authority(certificates, expired)
    issue_certificates(expired, NAMES, now=datetime.now(UTC) - timedelta(days=200))
    assert (expired / "ca.pem").read_bytes() == (certificates / "ca.pem").read_bytes()
    good = files_in(certificates).of("buying")
    async with shown(certificates) as other:
        for files in (
            TlsFiles(good.ca, f"{strange}/buying.pem", f"{strange}/buying.key"),
            TlsFiles(good.ca, f"{expired}/buying.pem", f"{expired}/buying.key"),
        ):
            caplog.clear()
            async with calling(other, files, caller="orders") as stub:
                for _ in range(3):
                    error = await failure_of(stub.echo(EchoRequest(), timeout=5))
                    assert error.code is Code.UNAVAILABLE
            assert len([each for each in caplog.messages if "is not available" in each]) == 1
        only_checks = grpc.ssl_channel_credentials(read(good.ca))
        for credentials in (only_checks, None):
            async with open_channel(
                str(other.grpc), [CONFORMANCE], credentials=credentials, name="conformance"
            ) as connection:
                stub = ConformanceStub(GrpcChannel(connection))
                error = await failure_of(stub.echo(EchoRequest(), timeout=5))
                assert error.code is Code.UNAVAILABLE


async def test_who_answers_with_the_certificate_of_another_service_is_not_called(
    certificates: Path, tmp_path: Path
) -> None:
    posing = tmp_path / "posing"
    share_authority(certificates, posing)
    issue_certificates(posing, {"buying": ("orders",)})
    mine = files_in(posing).of("buying")
    # It answers for `conformance`, and is called for `orders`.
    async with shown(certificates) as other, calling(other, mine, name="orders") as stub:
        error = await failure_of(stub.echo(EchoRequest(), timeout=5))
        assert error.code is Code.UNAVAILABLE


async def test_renewed_files_are_used_for_the_next_link(certificates: Path, tmp_path: Path) -> None:
    async with shown(certificates) as other:
        good = files_in(certificates).of("buying")
        async with calling(other, good, caller="orders") as stub:
            await stub.echo(EchoRequest())
        renewed = tmp_path / "renewed"
        issue_certificates(renewed, NAMES)
        for each in renewed.iterdir():
            copied(each, certificates / each.name)
        async with calling(other, files_in(renewed).of("buying"), caller="orders") as stub:
            await stub.enter_as_service(EnterRequest(key=""))


async def test_files_that_go_wrong_while_a_process_runs_are_told_and_not_used(
    certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = files_in(certificates).of("buying")
    async with shown(certificates) as other:
        (certificates / "shown.pem").write_text("nothing")
        for _ in range(2):
            async with calling(other, good, caller="orders") as stub:
                await stub.enter_as_service(EnterRequest(key=""))
    told = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert len(told) == 1
    assert "shown.pem: expected certificates, in PEM" in told[0].getMessage()


def _lose(directory: Path) -> None:
    (directory / "shown.pem").unlink()


def _empty_authorities(directory: Path) -> None:
    (directory / "ca.pem").write_text("")


def _no_key(directory: Path) -> None:
    (directory / "shown.key").write_text("x")


def _key_of_another(directory: Path) -> None:
    copied(directory / "buying.key", directory / "shown.key")


def _certificate_of_another(directory: Path) -> None:
    for suffix in ("pem", "key"):
        copied(directory / f"buying.{suffix}", directory / f"shown.{suffix}")


def _other_authority(directory: Path) -> None:
    issue_certificates(directory / "other", {})
    copied(directory / "other" / "ca.pem", directory / "ca.pem")


def _expired(directory: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=100)
    issue_certificates(directory, {"shown": ("a",)}, now=then)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_lose, "shown.pem cannot be read: No such file or directory"),
        (_empty_authorities, "ca.pem: expected certificates, in PEM"),
        (_no_key, "shown.key: expected a private key without a password, in PEM"),
        (_key_of_another, "shown.key is not the key of"),
        (_certificate_of_another, "shown.pem does not name conformance, but orders; expected a"),
        (_other_authority, "shown.pem is not signed by an authority of"),
        (_expired, "shown.pem has expired, on 20"),
    ],
)
async def test_a_process_whose_files_cannot_be_used_does_not_start(
    certificates: Path, change: Callable[[Path], None], expected: str
) -> None:
    change(certificates)
    with pytest.raises(SettingsError) as caught:
        async with shown(certificates):
            pass
    assert str(caught.value).startswith("[tls]: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "shop.example"])
async def test_a_process_that_others_can_reach_needs_a_proof_or_a_word(host: str) -> None:
    process = Process("shown", ("conformance",), grpc=Address(host, 0))
    with pytest.raises(
        SettingsError, match=r"could call as any service; give the topology a \[tls"
    ):
        async with hosted(process, Shown().service, Topology({"shown": process})):
            pass
    if host == "0.0.0.0":
        trusted = Topology({"shown": process}, trusted_network=True)
        async with hosted(process, Shown().service, trusted) as bound:
            assert bound.grpc is not None


@pytest.mark.parametrize(
    ("process", "topology"),
    [
        ({"nats": "nats://broker.example:4222"}, {}),
        ({"grpc": ANY}, {"broker": "nats://10.0.0.1:4222,nats://u:p@10.0.0.2:4222"}),
    ],
)
async def test_a_nats_server_elsewhere_needs_users(
    process: dict[str, str], topology: dict[str, str]
) -> None:
    shown = Process("shown", ("conformance",), **process)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="give its URL a user"):
        async with hosted(shown, Shown().service, Topology({"shown": shown}, **topology)):  # type: ignore[arg-type]
            pass


def test_certificates_are_made_once_and_anew_when_names_change_or_time_is_short(
    tmp_path: Path,
) -> None:
    def run(names: dict[str, tuple[str, ...]], days: int = 0) -> list[bool]:
        moment = datetime.now(UTC) + timedelta(days=days)
        return [each.is_new for each in issue_certificates(tmp_path, names, now=moment)]

    names = {"a": ("inventory",), "b": ("orders", "payments")}
    assert run(names) == [True, True]
    authority = (tmp_path / "ca.pem").read_bytes()
    assert run(names) == [False, False]
    assert run({**names, "a": ("inventory", "search")}) == [True, False]
    assert run({**names, "a": ("inventory",)}) == [True, False]
    assert run(names, days=70) == [True, True]
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert run(names, days=3_600) == [True, True]
    assert (tmp_path / "ca.pem").read_bytes() != authority
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}
    later = datetime.now(UTC) + timedelta(days=3_601)
    with pytest.raises(CertificateError, match="does not name audit"):
        read_certificate_files(
            tmp_path / "ca.pem",
            tmp_path / "a.pem",
            tmp_path / "a.key",
            needed=("audit",),
            now=later,
        )


@pytest.mark.parametrize("name", ["ca", "", "..", "a/b"])
def test_a_process_whose_name_is_no_files_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CertificateError, match="cannot have a file of that name"):
        issue_certificates(tmp_path, {name: ("inventory",)})


def test_an_authority_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    issue_certificates(tmp_path, {})
    (tmp_path / "ca.key").write_text("mine")
    with pytest.raises(CertificateError, match="remove both"):
        issue_certificates(tmp_path, {})
    assert (tmp_path / "ca.key").read_text() == "mine"
