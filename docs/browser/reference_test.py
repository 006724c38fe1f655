"""The reference at `/docs` in a browser, against a shop that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from director.monolith import SERVICES
from seam.http.application import openapi
from tests.system.processes import free_port
from tests.system.topologies import SOURCES, Launch, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docs.browser.conftest import Look


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop in one process."""
    names = ", ".join(f'"{service.name}"' for service in SERVICES)
    topology = tmp_path / "shop.toml"
    topology.write_text(f'[process.shop]\nservices = [{names}]\nhttp = "127.0.0.1:{free_port()}"\n')
    command = [*SOURCES, "--topology", str(topology), "--data", str(tmp_path / "data")]
    running = Shop([Launch("shop", command, listens=1)], tmp_path)
    yield running
    running.close()


def test_operations_are_tried_from_the_reference_and_events_are_beside_it(
    look: Look, shop: Shop, pictures: Path
) -> None:
    seen = look("reference.ts", shop.url, pictures)
    # Nothing comes from elsewhere, and the policy lets everything be that is there.
    assert seen["complaints"] == []
    assert seen["problems"] == []

    paths = openapi([api for each in SERVICES for api in each.http], title="")["paths"]
    assert seen["operations"] == sum(len(verbs) for verbs in paths.values())
    status, body = seen["item"]
    assert (status, '"KIT-BRD-0008"' in body) == ("200", True)
    assert seen["refused"][0].startswith("401")
    status, body = seen["orders"]
    assert (status, '"nextPageToken"' in body) == ("200", True)
    # A path that ends in a verb.
    status, body = seen["closed"]
    assert (status, seen["chatId"] in body, '"CHAT_STATE_CLOSED"' in body) == ("200", True, True)
    assert "text/event-stream" in seen["stream"]
    assert "Server-sent events" in seen["stream"]

    published = {event.type for service in SERVICES for event in service.publishes}
    assert set(seen["events"]) == published
    assert {"orderId", "cartRevision", "minorUnits"} <= set(
        seen["events"]["orders.v1.OrderConfirmed"]
    )
