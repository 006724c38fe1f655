"""Existing gRPC services in one process: unmodified `grpc.aio` servicers and stubs, no socket.

A `LocalServer` takes what generated `add_…Servicer_to_server` functions register; a
`LocalChannel` to it is what generated stubs are made from. Between them, a call is what it is
between two machines: messages are copied through the method's own serializers, and nothing but
metadata, deadline and cancellation crosses. `differences.md` lists what is not the same.
"""

from lib.grpc_inprocess.channel import LocalChannel
from lib.grpc_inprocess.server import LocalServer

__all__ = ["LocalChannel", "LocalServer"]
