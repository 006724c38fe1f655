"""Whether a process listens where callers prove who they are, or where nobody else gets to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Process, Topology, is_loopback

__all__ = ["caller_name", "check_network"]

FRONT: Final = "director"
"""What a process is called, among services, that hosts none."""


def caller_name(process: Process) -> str:
    """The service in whose name a process calls for itself."""
    return process.services[0] if process.services else FRONT


def check_network(process: Process, topology: Topology) -> None:
    """Check that nobody can call a process in the name of a service that he is not.

    On a loopback or a Unix socket the machine's own users are believed. Elsewhere certificates
    prove it, or the users of the NATS server; or somebody has said that the network is trusted.

    Raises:
        SettingsError: whoever reaches the process could; says what to do.
    """
    if topology.trusted_network:
        return
    if process.grpc is not None and not process.grpc.is_local and topology.tls is None:
        raise SettingsError(
            f"process '{process.name}' listens on {process.grpc}, where others than this machine "
            "could call as any service; give the topology a [tls] table (see `certificates --help`)"
            ", listen on 127.0.0.1, or say trusted_network = true"
        )
    servers = (("nats", process.nats or ""), ("broker", topology.broker or ""))
    for setting, url in (
        (name, each.strip()) for name, urls in servers for each in urls.split(",")
    ):
        if url and not _proves_users(url):
            raise SettingsError(
                f"{setting}: the NATS server at {urlsplit(url).hostname} lets everyone call as any "
                "service; give its URL a user, or say trusted_network = true"
            )


def _proves_users(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.username) or is_loopback(parts.hostname or "")
