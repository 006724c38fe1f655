"""Envoy in front of the shop that was taken apart answers as the director of the monolith does."""

from __future__ import annotations

from pathlib import Path

import grpc
import httpx
import pytest
from inventory.v1 import messagebus_pb2, messagebus_pb2_grpc

from tests.partitions.systems import NAMES, running
from tests.rendering.envoy import envoy, rendered
from tests.system.processes import free_port, from_artifact
from tests.system.topologies import Shop, start_shop
from tests.system.tour import Visited, tour


def test_envoy_gives_the_answers_of_the_director_and_refuses_with_its_statuses(
    tmp_path: Path,
) -> None:
    with running((NAMES,)) as monolith:
        expected = tour(monolith)
    directory = tmp_path / "split"
    directory.mkdir()
    shop = start_shop("split_artifacts", directory)
    listen = f"127.0.0.1:{free_port()}"
    try:
        with envoy(_rendered(directory / "split.toml", listen), listen, tmp_path):
            found = tour(_through(shop, listen))
    finally:
        shop.close()
    assert [_told(visited) for visited in found] == [_told(visited) for visited in expected]


def test_no_internal_method_is_reached_through_envoy(tmp_path: Path) -> None:
    shop = start_shop("split_artifacts", tmp_path)
    listen = f"127.0.0.1:{free_port()}"
    stock = shop.http.get("/v1/inventory?pageSize=9").json()["items"]
    request = messagebus_pb2.BatchGetItemsRequest(skus=[item["sku"] for item in stock])
    try:
        with (
            envoy(_rendered(tmp_path / "split.toml", listen), listen, tmp_path),
            grpc.insecure_channel(listen) as channel,
            httpx.Client(base_url=f"http://{listen}", timeout=10) as client,
        ):
            with pytest.raises(grpc.RpcError):
                messagebus_pb2_grpc.InventoryStub(channel).BatchGetItems(request, timeout=10)
            path = "/inventory.v1.Inventory/BatchGetItems"
            assert client.post(path, json={"skus": ["A"]}).status_code == 404
    finally:
        shop.close()


def _rendered(topology: Path, listen: str) -> str:
    return rendered(topology, listen, from_artifact("director/monolith.pex"))


def _through(shop: Shop, listen: str) -> Shop:
    """The same shop, with Envoy in the place of its director."""
    shop.http.close()
    shop.http = httpx.Client(base_url=f"http://{listen}", timeout=30)
    return shop


def _told(visited: Visited) -> Visited:
    """What a client may rely on: all of a good answer, the status of a refusal."""
    method, path, status, _, _ = visited
    return visited if status < 400 else (method, path, status, "", None)
