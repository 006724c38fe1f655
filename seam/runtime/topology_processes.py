"""Reads the processes of a topology file: what each hosts, and where it listens."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgspec

from seam.runtime.topology import DNS, UNIX, Address, Process, nats_url, shown
from seam.runtime.topology_text import TopologyText


class _Process(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table `[process.NAME]`."""

    services: tuple[str, ...] = ()
    http: str | None = None
    grpc: str | None = None
    advertise: str | tuple[str, ...] = ()
    nats: str | None = None


class ProcessReader:
    """Reads the tables `[process.NAME]`."""

    def __init__(self, text: TopologyText) -> None:
        """Read those of one file."""
        self._text = text

    def read(self, tables: Mapping[str, Any]) -> dict[str, Process]:
        """The processes, by name.

        Args:
            tables: the tables, by name.

        Raises:
            TopologyError: one says something that cannot be, or they do not fit together.
        """
        if not tables:
            raise self._text.error((), "no process; expected at least one table [process.NAME]")
        processes = {name: self._process(name, each) for name, each in tables.items()}
        self._check_services(processes)
        self._check_addresses(processes)
        return processes

    def _process(self, name: str, value: object) -> Process:
        where = ("process", name)
        table = self._text.convert(value, _Process, *where)
        targets = table.advertise
        return Process(
            name,
            table.services,
            http=self._address(table.http, *where, "http"),
            grpc=self._address(table.grpc, *where, "grpc"),
            advertise=self._advertise((targets,) if isinstance(targets, str) else targets, *where),
            nats=self._nats(table.nats, *where, "nats"),
        )

    def _check_services(self, processes: Mapping[str, Process]) -> None:
        home: dict[str, str] = {}
        for process in processes.values():
            where = ("process", process.name, "services")
            for service in process.services:
                self._text.check_known(service, *where, mention=service)
                if service in home:
                    first = shown(home[service])
                    raise self._text.error(
                        where, f"service {shown(service)} is in process {first} already", service
                    )
                home[service] = process.name
            name = shown(process.name)
            can_be_called = process.addresses or process.nats
            if process.services and not can_be_called and len(processes) > 1:
                raise self._text.error(
                    where, f"process {name} hosts services and needs an address: grpc or nats"
                )
            if process.http is None and not can_be_called:
                reason = f"process {name} listens nowhere: give it http, grpc or nats"
                raise self._text.error(where, reason)
        for service in self._text.known:
            if service not in home:
                first_process = ("process", next(iter(processes)))
                reason = f"service '{service}' is in no process; add it to one"
                raise self._text.error(first_process, reason)

    def _check_addresses(self, processes: Mapping[str, Process]) -> None:
        taken: dict[Address, str] = {}
        for process in processes.values():
            for kind, address in (("http", process.http), ("grpc", process.grpc)):
                if address is None:
                    continue
                where = ("process", process.name, kind)
                if address.port == 0 and not address.is_unix:
                    if kind == "grpc" and len(processes) > 1 and not process.advertise:
                        raise self._text.error(
                            where, "grpc: other processes need a port that is not 0"
                        )
                    continue
                if address in taken:
                    raise self._text.error(where, f"{kind}: {address} is taken by {taken[address]}")
                taken[address] = f"{kind} of process {shown(process.name)}"

    def _address(self, text: str | None, *path: str) -> Address | None:
        if text is None:
            return None
        try:
            return Address.parse(text)
        except ValueError as error:
            raise self._text.error(path, f"{path[-1]}: {error}") from None

    def _nats(self, text: str | None, *path: str) -> str | None:
        try:
            return None if text is None else nats_url(text)
        except ValueError as error:
            raise self._text.error(path, f"nats: {error}") from None

    def _advertise(self, targets: tuple[str, ...], *path: str) -> tuple[str, ...]:
        where = (*path, "advertise")
        families: set[int | None] = set()
        for target in targets:
            name = shown(target)
            if target.startswith((DNS, UNIX)) and len(targets) > 1:
                raise self._text.error(where, f"advertise: {name} must stand alone", target)
            try:
                address = Address.parse(target.removeprefix(DNS))
            except ValueError as error:
                raise self._text.error(where, f"advertise: {error}", target) from None
            if address.port == 0 and not target.startswith(UNIX):
                reason = "advertise: other processes need a port that is not 0"
                raise self._text.error(where, reason, target)
            families.add(_family(address))
            # gRPC takes a list of one family, and looks up no name in it.
            if len(targets) > 1 and (None in families or len(families) > 1):
                reason = (
                    f"advertise: {name} cannot stand in this list; "
                    "expected numeric addresses that are all IPv4 or all IPv6"
                )
                raise self._text.error(where, reason, target)
        return targets


def _family(address: Address) -> int | None:
    """4 or 6; None for a name."""
    try:
        return ip_address(address.host).version
    except ValueError:
        return None
