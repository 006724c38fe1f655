"""The check of tokens at an Envoy: an invalid one is refused before anything is done for it.

Who sends none is let through, since the services decide whom they let in, and verify each token
anew. The shop's own keys are fetched from its service `authentication` as clients read them; for
that, Envoy has a listener on a Unix socket which transcodes this one path, so that the fetch is
neither counted nor refused.

Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from director.rendering.descriptors import HttpPath
from director.rendering.envoy_clusters import unix_cluster, url_cluster
from director.rendering.envoy_extensions import Yaml, http_filter
from seam.auth.key_source import INTERVAL, PATIENCE
from seam.auth.tokens import LEEWAY
from seam.http.application import NOT_FOR_USERS
from seam.runtime.issuer import SHOP
from seam.runtime.topology import UNIX, Address, Topology, TopologyError

KEYS_PATH: Final = "/.well-known/jwks.json"
"""Where clients read the keys of the shop's own issuer."""

KEYS: Final = "issuer:keys"
"""The cluster of who knows the issuer's keys, and the listener that stands before the shop's."""

CLAIMS: Final = "claims"
"""Where the claims of a token are, in the metadata of the filter."""

PROVIDER: Final = "issuer"

OWN_INTERVAL: Final = 30.0
"""Seconds between two looks at the shop's own keys. Where a token has a new one, Envoy does not
look sooner, and the issuer may sign with one at once when others were stolen."""


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """How Envoy checks tokens.

    Attributes:
        filter: the filter that does.
        clusters: where it has the keys from.
        own_keys: where a listener of Envoy's own has to be, at which it has them; None when they
            are elsewhere.
    """

    filter: Yaml
    clusters: tuple[Yaml, ...]
    own_keys: Address | None = None


def token_check(
    topology: Topology, paths: Sequence[HttpPath], listen: Address
) -> TokenCheck | None:
    """How Envoy checks the tokens of the topology's issuer; None when nobody issues any.

    Args:
        topology: names the issuer, unless that is the shop's own.
        paths: those of contracts, among which may be the shop's own keys.
        listen: where Envoy takes requests.

    Raises:
        TopologyError: the keys of an issuer are where Envoy cannot read them.
    """
    settings = topology.auth
    if settings is None:
        if all(path.template != KEYS_PATH for path in paths):
            return None
        # In no file system, so that nothing has to be writable, and no other Envoy has it.
        own = Address(f"{UNIX}@{KEYS}:{listen}", 0)
        keys = _fetched(f"http://{PROVIDER}{KEYS_PATH}", OWN_INTERVAL)
        check = _filter(SHOP.issuer, SHOP.audience, keys)
        return TokenCheck(check, (unix_cluster(KEYS, own),), own)
    if not settings.jwks:
        raise TopologyError(
            "[auth]: Envoy does not ask an issuer where its keys are; expected jwks, which says it"
        )
    if "://" not in settings.jwks:
        keys = {"local_jwks": {"filename": settings.jwks}}
        clusters: tuple[Yaml, ...] = ()
    else:
        keys, clusters = _fetched(settings.jwks, INTERVAL), (url_cluster(KEYS, settings.jwks),)
    return TokenCheck(_filter(settings.issuer, settings.audience, keys), clusters)


def _fetched(url: str, seconds: float) -> Yaml:
    return {
        "remote_jwks": {
            "http_uri": {"uri": url, "cluster": KEYS, "timeout": f"{PATIENCE}s"},
            "cache_duration": f"{seconds}s",
            # Requests do not wait for the keys, unless they come before the first.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
            "retry_policy": {"num_retries": 1},
        }
    }


def _filter(issuer: str, audience: str, keys: Yaml) -> Yaml:
    provider = {
        "issuer": issuer,
        "audiences": [audience],
        **keys,
        "forward": True,
        # Tokens in the query would be in every log.
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "clock_skew_seconds": int(LEEWAY),
        "require_expiration": True,
        "payload_in_metadata": CLAIMS,
    }
    valid_or_none = [{"provider_name": PROVIDER}, {"allow_missing": {}}]
    return http_filter(
        "jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        providers={PROVIDER: provider},
        rules=[
            *({"match": {"path": path}} for path in sorted(NOT_FOR_USERS)),
            {
                "match": {"prefix": "/"},
                "requires": {"requires_any": {"requirements": valid_or_none}},
            },
        ],
    )
