"""Refresh tokens: texts that mean nothing, of which only a hash is kept.

Nobody can guess 256 random bits, so one round of SHA-256 is enough to keep who reads the database
from using what is in it.
"""

from __future__ import annotations

import hashlib
import secrets


def new_refresh_token() -> str:
    """Make a token: 43 characters."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of a token: 64 characters."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
