from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from seam.testing.nats import nats_server_program
from tests.system.processes import free_port
from tests.system.topologies import Launch, Shop, wait_until


def test_a_shop_that_does_not_start_leaves_no_process_behind(tmp_path: Path) -> None:
    port = free_port()
    broker = [str(nats_server_program()), "-a", "127.0.0.1", "-p", str(port)]
    # The broker listens when the other one ends, or the test would prove nothing.
    failing = f"""
import socket, time
while socket.socket().connect_ex(("127.0.0.1", {port})):
    time.sleep(0.05)
"""
    launches = [
        Launch("broker", broker, listens=0),
        Launch("failing", [sys.executable, "-c", failing], listens=1),
    ]
    with pytest.raises(AssertionError, match="did not start"):
        Shop(launches, tmp_path)
    wait_until(lambda: not _listens(port))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
