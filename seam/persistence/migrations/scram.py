"""What PostgreSQL keeps of a password, so that the password itself never travels to the server.

Source: RFC 5802, RFC 7677; how PostgreSQL writes it: https://www.postgresql.org/docs/current/catalog-pg-authid.html
"""

from __future__ import annotations

import hashlib
import hmac
import stringprep
import unicodedata
from base64 import b64encode
from typing import Final

ITERATIONS: Final = 4_096
"""As many as PostgreSQL takes itself."""

_REFUSED: Final = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def scram_verifier(password: str, salt: bytes) -> str:
    """The verifier of a password, as `ALTER ROLE … PASSWORD` takes it.

    Args:
        password: any text.
        salt: 16 random bytes.
    """
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password), salt, ITERATIONS)
    stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
    server = _mac(salted, b"Server Key")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _prepared(password: str) -> bytes:
    """SASLprep (RFC 4013); like PostgreSQL, take what it refuses as it is."""
    mapped = "".join(
        " " if stringprep.in_table_c12(each) else each
        for each in password
        if not stringprep.in_table_b1(each)
    )
    text = unicodedata.normalize("NFKC", mapped)
    refused = not text or any(refuses(each) for each in text for refuses in _REFUSED)
    return (password if refused else text).encode()


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return b64encode(data).decode()
