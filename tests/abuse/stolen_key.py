"""What somebody could sign who has the shop's own key: the worst that a forger can come with."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from seam.testing.issuer import TestIssuer, encoded
from tests.system.topologies import Shop


class StolenKey(TestIssuer):
    """Signs with the key of a running shop.

    It lets a test say that a token is refused for one reason alone: everything else about it is
    right.
    """

    def __init__(self, database: Path, shop: Shop) -> None:
        """Take the key.

        Args:
            database: the embedded database of `authentication`, whose keys are not sealed.
            shop: publishes the key's other half, and its identifier.
        """
        super().__init__()
        with closing(sqlite3.connect(database)) as connection:
            ((stored,),) = connection.execute("SELECT private FROM signing_key").fetchall()
        raw = b64decode(stored.removeprefix("plain:"))
        public = Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
        (published,) = shop.http.get("/.well-known/jwks.json").json()["keys"]
        assert published["x"] == encoded(public)
        self.key = OKPKey.import_key({**published, "d": encoded(raw)})
