"""The message bus: how one service reaches another, in this process or over gRPC.

Generated stubs and bindings stand on the contract types; a process wires them to channels.
"""

from seam.bus.channel import Channel
from seam.bus.contract import Binding, ErrorType, Idempotency, ServiceContract, UnaryMethod
from seam.bus.grpc_client import GrpcChannel
from seam.bus.grpc_server import servicer
from seam.bus.inprocess import InProcessChannel
from seam.bus.interceptor import Interceptor, Invoke

__all__ = [
    "Binding",
    "Channel",
    "ErrorType",
    "GrpcChannel",
    "Idempotency",
    "InProcessChannel",
    "Interceptor",
    "Invoke",
    "ServiceContract",
    "UnaryMethod",
    "servicer",
]
