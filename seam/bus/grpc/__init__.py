"""Calls between processes, over gRPC."""

from seam.bus.grpc.callers import BELIEVED, CERTIFIED, CallerCheck
from seam.bus.grpc.channel import GrpcChannel
from seam.bus.grpc.connection import open_channel
from seam.bus.grpc.servicer import servicer

__all__ = [
    "BELIEVED",
    "CERTIFIED",
    "CallerCheck",
    "GrpcChannel",
    "open_channel",
    "servicer",
]
