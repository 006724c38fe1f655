"""A small OpenID Connect issuer for tests: a process's own thread that answers over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from seam.testing.issuer import encoded


class OpenIdIssuer:
    """What the issuer says and signs.

    Attributes:
        url: its identifier, and where it answers.
        documents: what it answers with, by path; what is not there is 404.
        asked: paths that it was asked for.
    """

    def __init__(self, url: str) -> None:
        """Begin with a new RSA key and the documents of an issuer at `url`."""
        private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._key = RSAKey.import_key(private, {"kid": "theirs", "use": "sig"})
        self.url = url
        self.asked: list[str] = []
        self.documents: dict[str, bytes] = {
            "/realm/.well-known/openid-configuration": msgspec.json.encode(
                {"issuer": url, "jwks_uri": f"{url}/certs", "token_endpoint": f"{url}/token"}
            ),
            "/realm/certs": msgspec.json.encode({"keys": [self._key.as_dict(private=False)]}),
        }

    def token(self, subject: str, **claims: object) -> str:
        """A token as such issuers write them, with roles where Keycloak has them."""
        header = {"alg": "RS256", "kid": "theirs", "typ": "JWT"}
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": ["account", "shop"],
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "realm_access": {"roles": ["agent"]},
            **claims,
        }
        signed = f"{encoded(msgspec.json.encode(header))}.{encoded(msgspec.json.encode(said))}"
        signature = JWSRegistry.algorithms["RS256"].sign(signed.encode(), self._key)
        return f"{signed}.{encoded(signature)}"


@contextmanager
def openid_issuer() -> Iterator[OpenIdIssuer]:
    """Run an issuer on a port of its own until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            document = issuer.documents.get(self.path)
            self.send_response(200 if document is not None else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(document or b"")))
            self.end_headers()
            self.wfile.write(document or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = OpenIdIssuer(f"http://127.0.0.1:{server.server_address[1]}/realm")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
