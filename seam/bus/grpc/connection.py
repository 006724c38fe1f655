"""Opens gRPC channels: to one address or several, with retries where a contract allows them.

What a call may do twice stands in its contract, so the retry policy is rendered from there and gRPC
itself carries it out: https://github.com/grpc/proposal/blob/master/A6-client-retries.md. A channel
spreads calls over all addresses that its target gives and leaves out those that do not answer,
whose calls fail, or that say by `grpc.health.v1` that they do not serve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import grpc
import msgspec

from seam.bus.grpc.request_stream import names
from seam.bus.retry_policy import (
    ATTEMPTS,
    BACKOFF_MULTIPLIER,
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    TOKEN_RATIO,
    TOKENS,
)
from seam.contract.descriptors import ServiceDescriptor
from seam.contract.errors import Code

_RETRY: Final = {
    "maxAttempts": ATTEMPTS,
    "initialBackoff": f"{FIRST_BACKOFF}s",
    "maxBackoff": f"{LONGEST_BACKOFF}s",
    "backoffMultiplier": BACKOFF_MULTIPLIER,
    "retryableStatusCodes": [Code.UNAVAILABLE.name],
}

_BUDGET: Final = {"maxTokens": TOKENS, "tokenRatio": TOKEN_RATIO}

# A peer that has stopped, or whose machine is gone, answers no call and refuses none. When nearly
# all calls to one address have failed, the other addresses get its calls for a while, but never
# fewer than half of all. Source: https://github.com/grpc/proposal/blob/master/A50-xds-outlier-detection.md.
_OUTLIERS: Final = {
    "interval": "0.5s",
    "baseEjectionTime": "5s",
    "maxEjectionTime": "30s",
    "maxEjectionPercent": 50,
    "failurePercentageEjection": {
        "threshold": 90,
        "enforcementPercentage": 100,
        "minimumHosts": 2,
        "requestVolume": 3,
    },
    "childPolicy": [{"round_robin": {}}],
}

CHANNEL_OPTIONS: Final = (
    # A peer that restarts should be found again at once and not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A link is asked for its health now and then. A server of somebody else takes pings more often
    # than every five minutes for an attack, and cuts the link.
    ("grpc.keepalive_time_ms", 330_000),
    # How long the answer to a ping may take, and also how long the other machine's kernel may take
    # to acknowledge what was sent. gRPC answers pings also while Python is busy, so that a peer
    # which says nothing for this long has stopped; calls that may be made twice then go to another
    # one before their time is over. `grpc.keepalive_timeout_ms` has no effect in this version.
    ("grpc.http2.ping_timeout_ms", 2_000),
)
"""How a client keeps its links; what else it sets follows from contracts."""


def open_channel(
    target: str,
    services: Sequence[ServiceDescriptor],
    *,
    credentials: grpc.ChannelCredentials | None = None,
    name: str = "",
) -> grpc.aio.Channel:
    """Open a channel to those who answer some contract services.

    Args:
        target: as `target_of` gives it, or any other target that gRPC knows.
        services: the services that are called over it.
        credentials: prove who calls, and check who answers; None on a network that is trusted.
        name: with `credentials`, what the certificate of who answers must name.
    """
    config = msgspec.json.encode(service_config(services)).decode()
    options: tuple[tuple[str, Any], ...] = (*CHANNEL_OPTIONS, ("grpc.service_config", config))
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    # Where a process listens says nothing of what it may answer.
    options = (*options, ("grpc.ssl_target_name_override", name))
    return grpc.aio.secure_channel(target, credentials, options=options)


def target_of(addresses: Sequence[str]) -> str:
    """The gRPC target of one or several addresses.

    Args:
        addresses: each `HOST:PORT`, `unix:PATH`, or a single `dns:///HOST:PORT`.
    """
    if len(addresses) == 1:
        return addresses[0]
    family = "ipv6" if any(address.startswith("[") for address in addresses) else "ipv4"
    return f"{family}:{','.join(addresses)}"


def service_config(services: Sequence[ServiceDescriptor]) -> dict[str, Any]:
    """What gRPC is to do about failing calls and several addresses.

    Source: https://github.com/grpc/grpc/blob/master/doc/service_config.md.

    Args:
        services: the services whose methods are called.
    """
    retriable = [
        {"service": method.service, "method": name}
        for service in services
        for method in service.methods
        if method.retriable
        for name in names(method)
    ]
    config: dict[str, Any] = {
        "loadBalancingConfig": [{"outlier_detection_experimental": _OUTLIERS}],
        "healthCheckConfig": {"serviceName": ""},
    }
    if retriable:
        config["methodConfig"] = [{"name": retriable, "retryPolicy": _RETRY}]
        config["retryThrottling"] = _BUDGET
    return config
