"""Processes that prove to each other who they are sell as well, and let nobody else in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from inventory.v1 import messagebus_pb2, messagebus_pb2_grpc

from tests.system.processes import free_port, from_sources
from tests.system.topologies import CALLED_BY_ORDERS, SERVICES, Launch, Shop

_REST = ", ".join(f'"{name}"' for name in SERVICES if name not in {"inventory", "search"})


class SplitWithProof:
    """A shop of three processes that answer only who shows a certificate."""

    def __init__(self, directory: Path) -> None:
        """Make certificates by the command that people use, and start the shop."""
        self.inventory = f"127.0.0.1:{free_port()}"
        self.certificates = directory / "certificates"
        topology = directory / "topology.toml"
        topology.write_text(
            f"""
            [process.director]
            http = "127.0.0.1:{free_port()}"

            [process.inventory]
            services = ["inventory", "search"]
            grpc = "{self.inventory}"

            [process.shop]
            services = [{_REST}]
            grpc = "127.0.0.1:{free_port()}"

            [tls]
            ca = "{self.certificates}/ca.pem"
            certificate = "{self.certificates}/{{process}}.pem"
            key = "{self.certificates}/{{process}}.key"
            """
        )
        program = from_sources("director.monolith")
        settings = ["--topology", str(topology), "--data", str(directory / "data")]
        made = subprocess.run(
            [*program, "certificates", str(self.certificates), *settings],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert made.stdout.count(": new, names ") == 3, made.stdout
        self.shop = Shop(
            [
                Launch("inventory", [*program, *settings, "--process", "inventory"], listens=1),
                Launch("shop", [*program, *settings, "--process", "shop"], listens=1),
                Launch("director", [*program, *settings, "--process", "director"], listens=1),
            ],
            directory,
        )

    def credentials(self, process: str) -> grpc.ChannelCredentials:
        """What a process proves and checks."""
        files = ("ca.pem", f"{process}.key", f"{process}.pem")
        return grpc.ssl_channel_credentials(
            *((self.certificates / name).read_bytes() for name in files)
        )

    def reserve(self, credentials: grpc.ChannelCredentials | None) -> grpc.StatusCode:
        """Try to hold stock in the name of orders; gives how that ends."""
        options = (("grpc.ssl_target_name_override", "inventory"),)
        opened = (
            grpc.insecure_channel(self.inventory)
            if credentials is None
            else grpc.secure_channel(self.inventory, credentials, options)
        )
        with opened as channel:
            stub = messagebus_pb2_grpc.InventoryStub(channel)
            line = messagebus_pb2.StockLine(sku="KIT-BRD-0008", quantity=1)
            request = messagebus_pb2.ReserveStockRequest(reservation_id="mine", lines=[line])
            try:
                stub.ReserveStock(request, timeout=10, metadata=CALLED_BY_ORDERS)
            except grpc.RpcError as error:
                code: grpc.StatusCode = error.code()
                return code
        return grpc.StatusCode.OK


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SplitWithProof]:
    running = SplitWithProof(tmp_path_factory.mktemp("proof"))
    yield running
    running.shop.close()


def test_a_shop_of_processes_with_certificates_sells(split: SplitWithProof) -> None:
    http = split.shop.http
    cart = http.post("/v1/carts", json={}).json()["cartId"]
    assert http.put(f"/v1/carts/{cart}/items/KIT-BRD-0008", json={"quantity": 1}).is_success
    order = http.post("/v1/orders", json={"cartId": cart}, headers={"Idempotency-Key": "one"})
    assert order.json()["state"] == "ORDER_STATE_CONFIRMED"


def test_a_token_that_nobody_issues_here_is_refused_at_the_door(split: SplitWithProof) -> None:
    answer = split.shop.http.get("/v1/inventory", headers={"Authorization": "Bearer a.b.c"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_stock_is_held_for_orders_and_for_nobody_who_says_so(split: SplitWithProof) -> None:
    assert split.reserve(split.credentials("shop")) is grpc.StatusCode.OK
    assert split.reserve(split.credentials("director")) is grpc.StatusCode.PERMISSION_DENIED
    only_checks = grpc.ssl_channel_credentials((split.certificates / "ca.pem").read_bytes())
    assert split.reserve(only_checks) is grpc.StatusCode.UNAVAILABLE
    assert split.reserve(None) is grpc.StatusCode.UNAVAILABLE
