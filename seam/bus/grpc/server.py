"""Makes gRPC servers for our processes."""

from __future__ import annotations

from typing import Final

import grpc

SERVER_OPTIONS: Final = (
    # Clients ask whether the process is still there, also when nothing else is said.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    # How many calls a service takes on is said by its bulkhead, which answers what is too much.
    # Above a thousand calls that wait for the event loop, gRPC itself drops some as CANCELLED.
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
    # All that may travel with a call. Without it, gRPC refuses some calls above 8 KiB by chance.
    ("grpc.max_metadata_size", 16 * 2**10),
)
"""How a server treats its links and calls."""


def make_server(*, shares_port: bool = False) -> grpc.aio.Server:
    """Make a server that has no servicers yet and has not started.

    Args:
        shares_port: whether other processes may bind its port and take a part of the calls. By
            accident they shall not.
    """
    return grpc.aio.server(options=(*SERVER_OPTIONS, ("grpc.so_reuseport", int(shares_port))))
