"""What every transport, and every service that is called over one, must let be seen.

The checks use keys of their own in the service, so they can be run again and side by side.
"""

from __future__ import annotations

from conformance.check import CHECKS, Check
from conformance.checks import access, calls, context, deadlines, rules, streams

__all__ = [
    "CHECKS",
    "Check",
    "access",
    "calls",
    "context",
    "deadlines",
    "rules",
    "streams",
]
