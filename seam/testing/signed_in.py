"""Calls that a test makes as somebody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from seam.call import ANONYMOUS, Principal, call_scope


@contextmanager
def signed_in(subject: str, *roles: str) -> Iterator[None]:
    """Let the calls in the block be made by a user; by nobody who is signed in when it is ""."""
    named = Principal(subject, frozenset(roles), "a-token")
    with call_scope(principal=named if subject else ANONYMOUS):
        yield
