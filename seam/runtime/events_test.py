"""Services that publish and subscribe, hosted together and apart, and the commands about events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from contract.v1.money import Money

from seam.events import subscribe
from seam.events.dead_letters import DeadLetters
from seam.events.policy import DEFAULT_POLICY
from seam.events.testing.paths import path
from seam.events.testing.shop import LEDGER, SALES, SOLD, note, sell
from seam.events.testing.waiting import until_delivered, until_noted
from seam.persistence import Database, Transaction, open_database
from seam.runtime.command_line import command_line
from seam.runtime.hosting import Bound, hosting
from seam.runtime.service import DatabaseLocation, Provided, Resources, Service
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import Artifact
from seam.runtime.topology import Address, Process, Topology, TopologyError
from seam.runtime.topology_file import read_topology
from seam.testing.nats import NatsServer

ANY = Address("127.0.0.1", 0)


@dataclass
class Shop:
    """One service that publishes and one that only subscribes."""

    directory: Path
    databases: dict[str, Database] = field(default_factory=dict)
    poison: set[int] = field(default_factory=set)

    @property
    def services(self) -> tuple[Service, ...]:
        return (
            Service("sales", self._sales, publishes=(SOLD,)),
            Service("ledger", self._ledger),
        )

    @property
    def locations(self) -> Mapping[str, DatabaseLocation]:
        return {
            name: DatabaseLocation(f"sqlite:///{self.directory}/{name}.db", embedded=True)
            for name in ("sales", "ledger")
        }

    @asynccontextmanager
    async def _sales(self, resources: Resources) -> AsyncIterator[Sequence[Provided]]:
        async with resources.database(SALES) as self.databases["sales"]:
            yield ()

    @asynccontextmanager
    async def _ledger(self, resources: Resources) -> AsyncIterator[Sequence[Provided]]:
        async with resources.database(LEDGER) as self.databases["ledger"]:
            yield (subscribe(SOLD, self.handle),)

    async def handle(self, event: Money, transaction: Transaction) -> None:
        if event.minor_units in self.poison:
            raise RuntimeError("poison")
        await note(event, transaction)

    @asynccontextmanager
    async def hosted(
        self, process: Process, topology: Topology | None = None
    ) -> AsyncIterator[Bound]:
        async with hosting(
            process,
            topology or Topology({process.name: process}),
            self.services,
            self.locations,
            title="test",
        ) as bound:
            yield bound

    def split(self, broker: str) -> Path:
        """A topology with a process for each service, and a broker."""
        file = self.directory / "topology.toml"
        file.write_text(
            f"""
            [process.sales]
            services = ["sales"]
            grpc = "127.0.0.1:0"
            advertise = "127.0.0.1:1"
            http = "127.0.0.1:0"

            [process.ledger]
            services = ["ledger"]
            grpc = "127.0.0.1:0"
            advertise = "127.0.0.1:2"
            http = "127.0.0.1:0"

            [events]
            broker = "{broker}"
            """
        )
        return file

    def command(self, *tokens: str) -> int:
        artifact = Artifact("shop", self.services, whole_system=True)
        code: int = command_line(artifact)([*tokens, "--data", str(self.directory)])
        return code


async def test_services_of_one_process_hear_of_each_other_and_its_metrics_tell(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path)
    async with shop.hosted(Process("one", ("sales", "ledger"), http=ANY)) as bound:
        await sell(shop.databases["sales"], [("a", n) for n in range(10)])
        assert await until_noted(shop.databases["ledger"], 10) == {"a": list(range(10))}
        await until_delivered(shop.databases["sales"])
        async with httpx.AsyncClient(base_url=f"http://{bound.http}") as client:
            answer = await client.get("/metrics")
            state = (await client.get("/readyz")).json()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'seam_events_handled_total{service="ledger"} 10.0' in lines
    assert 'seam_dead_letters{service="ledger"} 0.0' in lines
    assert 'seam_outbox_oldest_seconds{service="sales"} 0.0' in lines
    assert "broker" not in state


async def test_services_of_two_processes_hear_of_each_other_through_the_broker(
    tmp_path: Path, stoppable_nats: NatsServer
) -> None:
    shop = Shop(tmp_path)
    file = shop.split(stoppable_nats.url)
    topology = read_topology(file, known=["sales", "ledger"], whole_system=True)
    async with (
        shop.hosted(topology.processes["sales"], topology) as bound,
        shop.hosted(topology.processes["ledger"], topology),
        httpx.AsyncClient(base_url=f"http://{bound.http}") as client,
    ):
        await sell(shop.databases["sales"], [("a", n) for n in range(10)])
        assert await until_noted(shop.databases["ledger"], 10) == {"a": list(range(10))}
        assert (await client.get("/readyz")).json()["broker"] == {"ready": True}
        stoppable_nats.kill()
        async with asyncio.timeout(30):
            state = {"broker": {"ready": True}}
            while state["broker"]["ready"]:
                await asyncio.sleep(0.05)
                state = (await client.get("/readyz")).json()
        assert state["broker"] == {"ready": False, "problem": "cannot be reached"}
        # What needs no answer from the broker goes on.
        assert state["ready"]


def test_what_a_subscriber_has_not_read_is_told_by_command_and_metric(
    tmp_path: Path, stoppable_nats: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(tmp_path)
    file = shop.split(stoppable_nats.url)
    topology = read_topology(file, known=["sales", "ledger"], whole_system=True)

    async def read_and_leave(count: int) -> None:
        async with (
            shop.hosted(topology.processes["sales"], topology),
            shop.hosted(topology.processes["ledger"], topology),
        ):
            await sell(shop.databases["sales"], [(f"key {n % 3}", n) for n in range(count)])
            await until_noted(shop.databases["ledger"], count)

    async def publish_alone(count: int) -> None:
        async with shop.hosted(topology.processes["sales"], topology):
            await sell(shop.databases["sales"], [(f"key {n % 3}", n) for n in range(count)])
            await until_delivered(shop.databases["sales"])
            await sell(shop.databases["sales"], [("key 0", count)])
            await until_delivered(shop.databases["sales"])

    async def unread() -> str:
        async with (
            shop.hosted(topology.processes["ledger"], topology) as bound,
            httpx.AsyncClient(base_url=f"http://{bound.http}") as client,
        ):
            await until_noted(shop.databases["ledger"], 131)
            lines = (await client.get("/metrics")).text.splitlines()
        return next(each for each in lines if each.startswith("seam_stream_unread_events{"))

    asyncio.run(read_and_leave(30))
    asyncio.run(publish_alone(100))
    assert shop.command("events", "lag", "--topology", str(file)) == 0
    assert "ledger: 0 events in the outbox" in (out := capsys.readouterr().out)
    assert "0 dead letters; 101 of sales unread" in out
    assert shop.command("events", "lag", "--topology", str(file), "--json") == 0
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["unread"] for each in figures] == [{}, {"sales": 101}]
    assert asyncio.run(unread()) == (
        'seam_stream_unread_events{publisher="sales",subscriber="ledger"} 0.0'
    )
    stoppable_nats.kill()
    assert shop.command("events", "lag", "--topology", str(file)) == 1
    assert "the broker does not say what is unread" in capsys.readouterr().out


async def test_a_subscriber_whose_publisher_is_elsewhere_needs_a_broker(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    sales = Process("sales", ("sales",), grpc=Address("127.0.0.1", 1))
    ledger = Process("ledger", ("ledger",), grpc=ANY)
    topology = Topology({"sales": sales, "ledger": ledger})
    with pytest.raises(SettingsError, match=r"\[events\] broker"):
        async with shop.hosted(ledger, topology):
            pass


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('broker = "http://a:1"', r":7: broker: expected nats://HOST:PORT"),
        ("broker = 4", r":7: broker: expected a string, got a whole number"),
        ('other = "x"', r":7: unknown setting 'other'; expected broker"),
    ],
)
def test_a_broker_that_is_none_is_refused(tmp_path: Path, table: str, expected: str) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(
        f'[process.one]\nservices = ["a"]\nhttp = "127.0.0.1:0"\n\n\n[events]\n{table}\n'
    )
    with pytest.raises(TopologyError, match=expected):
        read_topology(file, known=["a"], whole_system=True)


def test_commands_show_replay_and_drop_dead_letters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(tmp_path, poison={1, 2})
    ids = asyncio.run(_with_dead_letters(shop))
    assert shop.command("events", "lag") == 0
    assert "ledger: 0 events in the outbox" in capsys.readouterr().out
    assert shop.command("events", "lag", "--json") == 0
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["service"], each["dead"]) for each in figures] == [("sales", 0), ("ledger", 2)]
    assert shop.command("events", "dead", "list", "ledger") == 0
    assert [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()] == ids
    assert shop.command("events", "dead", "list", "ledger", "--json", "--limit", "1") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["reason"] == "RuntimeError: poison"
    assert shop.command("events", "dead", "show", "ledger", ids[0]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "sales.v1.Sold"
    assert shop.command("events", "dead", "show", "ledger", "no-such") == 1
    assert capsys.readouterr().err == "ledger has no dead letter no-such\n"
    assert shop.command("events", "dead", "replay", "ledger", ids[0], "no-such") == 1
    assert shop.command("events", "dead", "drop", "ledger", ids[1]) == 0
    assert capsys.readouterr().out == f"{ids[0]} will be tried again\n{ids[1]} dropped\n"
    with pytest.raises(SettingsError, match="unknown service 'other'; expected sales, ledger"):
        shop.command("events", "dead", "list", "other")
    shop.poison.clear()
    assert asyncio.run(_noted(shop)) == {"a": [0, 3, 1]}


async def _with_dead_letters(shop: Shop) -> list[str]:
    async with (
        open_database(shop.locations["sales"].url, SALES) as sales,
        open_database(shop.locations["ledger"].url, LEDGER) as ledger,
    ):
        policy = replace(DEFAULT_POLICY, attempts=1)
        subscription = subscribe(SOLD, shop.handle)
        async with path(sales, ledger, policy, subscription=subscription):
            await sell(sales, [("a", n) for n in range(4)])
            await until_noted(ledger, 2)
        return [each.event.id for each in await DeadLetters("ledger", ledger).page(0, 10)]


async def _noted(shop: Shop) -> dict[str, list[int]]:
    async with shop.hosted(Process("one", ("sales", "ledger"), http=ANY)):
        return await until_noted(shop.databases["ledger"], 3)
