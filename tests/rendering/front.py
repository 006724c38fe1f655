"""A shop whose processes prove who they are, with an Envoy in front that checks its clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from websockets.sync.client import ClientConnection, connect

from seam.testing.issuer import TestIssuer
from tests.rendering.envoy import environment, envoy, rendered
from tests.system.processes import free_port
from tests.system.topologies import SERVICES, SOURCES, Launch, Shop, broker_command

ISSUER: Final = "https://issuer.test"
ORIGIN: Final = "https://shop.example"


class ProvenShop:
    """A shop of three processes: mutual TLS between them, and an issuer that is not the shop."""

    def __init__(self, directory: Path) -> None:
        """Make certificates by the command that people use, and start the shop."""
        self._directory = directory
        self._issuer = TestIssuer()
        keys, certificates = directory / "jwks.json", directory / "certificates"
        self._keys = keys
        keys.write_bytes(self._issuer.jwks())
        others = ", ".join(f'"{name}"' for name in SERVICES if name != "inventory")
        broker = free_port()
        self._text = f"""
            [process.director]
            http = "127.0.0.1:{free_port()}"

            [process.inventory]
            services = ["inventory"]
            grpc = "127.0.0.1:{free_port()}"

            [process.others]
            services = [{others}]
            grpc = "127.0.0.1:{free_port()}"

            [tls]
            ca = "{certificates}/ca.pem"
            certificate = "{certificates}/{{process}}.pem"
            key = "{certificates}/{{process}}.key"

            [auth]
            issuer = "{ISSUER}"
            audience = "shop"
            jwks = "{keys}"

            [events]
            broker = "nats://127.0.0.1:{broker}"
            """
        topology = self._topology("shop")
        settings = ["--topology", str(topology), "--data", str(directory / "data")]
        made = [*SOURCES, "certificates", str(certificates), *settings]
        subprocess.run(made, check=True, timeout=60, env=environment())
        names = ("inventory", "others", "director")
        self.shop = Shop(
            [
                Launch("broker", broker_command(broker, directory), listens=0),
                *(Launch(each, [*SOURCES, *settings, "--process", each], 1) for each in names),
            ],
            directory,
        )

    @contextmanager
    def behind_envoy(self, name: str, http: str = "", *, keys: str = "") -> Iterator[Front]:
        """The shop behind an Envoy of its own.

        Args:
            name: of its files.
            http: lines of the table `[http]` of the topology by which it is configured.
            keys: where it looks for the issuer's keys, if that is not their file.
        """
        listen = f"127.0.0.1:{free_port()}"
        topology = self._topology(name, f"\n[http]\n{http}")
        if keys:
            topology.write_text(topology.read_text().replace(str(self._keys), keys))
        directory = self._directory / name
        directory.mkdir()
        with envoy(rendered(topology, listen), listen, directory):
            yield Front(listen, self._issuer)

    def _topology(self, name: str, more: str = "") -> Path:
        path = self._directory / f"{name}.toml"
        path.write_text(self._text + more)
        return path


class Front:
    """What clients reach, and who they are there."""

    def __init__(self, listen: str, issuer: TestIssuer) -> None:
        """Reach Envoy at `listen`, with tokens of `issuer`."""
        self.url = f"http://{listen}"
        self._listen = listen
        self._issuer = issuer

    def token(
        self, subject: str, *roles: str, seconds: float = 900, iss: str = ISSUER, **claims: object
    ) -> str:
        """A token of somebody, good unless what it says is changed."""
        return self._issuer.token(subject, list(roles), seconds=seconds, iss=iss, **claims)  # type: ignore[arg-type]

    def acting(
        self, subject: str, *roles: str, seconds: float = 900, iss: str = ISSUER, **claims: object
    ) -> httpx.Client:
        """A client of somebody, with such a token."""
        token = self.token(subject, *roles, seconds=seconds, iss=iss, **claims)
        headers = {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def anonymous(self) -> httpx.Client:
        """A client of nobody in particular."""
        return httpx.Client(base_url=self.url, timeout=30)

    def talking(self, path: str, subject: str, *roles: str) -> ClientConnection:
        """A WebSocket of somebody, opened as a browser does."""
        protocols: Any = ["bearer", self.token(subject, *roles)]
        return connect(f"ws://{self._listen}{path}", subprotocols=protocols, open_timeout=30)
