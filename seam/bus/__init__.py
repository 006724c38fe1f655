"""The message bus: how one service reaches another, in this process or over gRPC.

Generated stubs and bindings stand on the contract types; a process wires them to channels.
"""

from seam.bus.bulkhead import Bulkhead, Limits
from seam.bus.channel import Channel
from seam.bus.connecting import connect
from seam.bus.contract import Binding, ErrorType, Idempotency, Kind, Method, ServiceContract
from seam.bus.grpc_client import GrpcChannel
from seam.bus.grpc_server import servicer
from seam.bus.inprocess import InProcessChannel
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.bus.stream import ResponseStream

__all__ = [
    "Binding",
    "Bulkhead",
    "Channel",
    "ErrorType",
    "GrpcChannel",
    "Idempotency",
    "InProcessChannel",
    "Interceptor",
    "Invoke",
    "Kind",
    "Limits",
    "Method",
    "ResponseStream",
    "ServiceContract",
    "StreamInvoke",
    "connect",
    "servicer",
]
