"""What tests of services stand on. No artifact holds it."""

from seam.testing.mock import MockMethod, mock_channel

__all__ = ["MockMethod", "mock_channel"]
