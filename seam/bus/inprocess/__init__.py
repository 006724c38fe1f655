"""Calls between services of one process."""

from seam.bus.inprocess.channel import InProcessChannel

__all__ = ["InProcessChannel"]
