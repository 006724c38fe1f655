"""What an Envoy does with every request and every answer, as our own front door does.

Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/http_filters.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from typing import Final

from director.rendering.descriptors import descriptor_set
from director.rendering.envoy_extensions import Yaml, http_filter, message, percent
from director.rendering.envoy_tokens import CLAIMS, TokenCheck
from seam.bus.grpc.metadata import BAGGAGE, CALLER
from seam.contract import ServiceDescriptor
from seam.http.cors import ALLOWED_HEADERS, ANY_ORIGIN, EXPOSED_HEADERS, PREFLIGHT_SECONDS
from seam.http.limits import MAXIMUM_BODY_BYTES
from seam.http.rate import Rate
from seam.http.security_headers import SECURITY_HEADERS, strict_transport_security
from seam.http.settings import HttpSettings

BY_ADDRESS: Final = "envoy.filters.http.local_ratelimit.address"
BY_PRINCIPAL: Final = "envoy.filters.http.local_ratelimit.principal"

TRANSCODER: Final = "envoy.filters.http.grpc_json_transcoder"
BUFFER: Final = "envoy.filters.http.buffer"
CORS: Final = "envoy.filters.http.cors"

_TRANSCODER_TYPE: Final = "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"

UNTOUCHED: Final[Yaml] = {
    TRANSCODER: message(_TRANSCODER_TYPE, services=[], proto_descriptor_bin=""),
    BUFFER: message("filters.http.buffer.v3.BufferPerRoute", disabled=True),
}
"""Of a route whose requests go on as they came."""

_CLIENTS: Final = 100_000
"""Clients whose requests are counted at a time."""

_SUBSCRIBER: Final[Yaml] = {
    "masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}
}
_PRINCIPAL: Final[Yaml] = {
    "metadata": {
        "descriptor_key": "principal",
        "metadata_key": {
            "key": "envoy.filters.http.jwt_authn",
            "path": [{"key": CLAIMS}, {"key": "sub"}],
        },
        "skip_if_absent": True,
    }
}


def filters(
    contracts: Sequence[ServiceDescriptor], settings: HttpSettings, check: TokenCheck | None
) -> Iterator[Yaml]:
    """The filters of the front, in the order in which requests meet them.

    Args:
        contracts: what clients call.
        settings: how HTTP is served.
        check: how tokens are checked, if they are.
    """
    yield header_filter(settings)
    if settings.allowed_origins:
        yield http_filter("cors", "cors.v3.Cors")
    if settings.rate_limit_by_address is not None:
        yield _limit(BY_ADDRESS, settings.rate_limit_by_address, _SUBSCRIBER)
    if check is not None:
        yield check.filter
        if settings.rate_limit_by_principal is not None:
            yield _limit(BY_PRINCIPAL, settings.rate_limit_by_principal, _PRINCIPAL)
    yield http_filter("buffer", "buffer.v3.Buffer", max_request_bytes=MAXIMUM_BODY_BYTES)
    yield transcoder(contracts)
    yield router()


def header_filter(settings: HttpSettings) -> Yaml:
    """What is taken out of requests and answers, and added to these.

    Deadlines are the contract's: a client sets none. It calls in no service's name either. What
    gRPC says beside an answer is no client's concern; it is taken out before the transcoder, which
    reads it, has written.
    """
    fixed = list(SECURITY_HEADERS)
    if settings.certificate is not None:
        fixed.append(strict_transport_security(settings.hsts_seconds))
    added = [
        _append(name.decode(), value.decode(), "OVERWRITE_IF_EXISTS_OR_ADD")
        for name, value in fixed
    ]
    return http_filter(
        "header_mutation",
        "header_mutation.v3.HeaderMutation",
        mutations={
            "request_mutations": [
                {"remove": name} for name in ("grpc-timeout", "content-type", CALLER, BAGGAGE)
            ],
            "response_mutations": [
                *(
                    {"remove": name}
                    for name in ("grpc-status", "grpc-message", "grpc-accept-encoding")
                ),
                *added,
                # Envoy tells answers apart by no tag; what the director has said stays.
                _append("cache-control", "no-store", "ADD_IF_ABSENT"),
            ],
        },
    )


def transcoder(contracts: Sequence[ServiceDescriptor]) -> Yaml:
    """What makes gRPC of ProtoJSON, and ProtoJSON of gRPC."""
    return http_filter(
        "grpc_json_transcoder",
        "grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor_bin=base64.b64encode(descriptor_set(contracts)).decode(),
        services=[contract.name for contract in contracts],
        convert_grpc_status=True,
        query_param_unescape_plus=True,
        request_validation_options={
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        print_options={"always_print_primitive_fields": True},
    )


def router() -> Yaml:
    """What sends a request on, at the end of the filters."""
    return http_filter("router", "router.v3.Router", suppress_envoy_headers=True)


def cors_policy(settings: HttpSettings, methods: str = "") -> Yaml:
    """What scripts of other sites may do.

    Args:
        settings: whose scripts, and whether with cookies.
        methods: what they may ask for, as `Allow` has it; "" where they do not ask first.
    """
    origins = [
        {"safe_regex": {"regex": ".*"}} if origin == ANY_ORIGIN else {"exact": origin}
        for origin in settings.allowed_origins
    ]
    return message(
        "filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=origins,
        allow_methods=methods,
        allow_headers=ALLOWED_HEADERS.decode(),
        expose_headers=EXPOSED_HEADERS.decode(),
        max_age=PREFLIGHT_SECONDS.decode(),
        allow_credentials=settings.allow_credentials,
    )


def without_limits(settings: HttpSettings, check: TokenCheck | None) -> Yaml:
    """Of a route whose requests no rate limit counts."""
    limits = {
        BY_ADDRESS: settings.rate_limit_by_address is not None,
        BY_PRINCIPAL: settings.rate_limit_by_principal is not None and check is not None,
    }
    disabled = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
    return {name: disabled for name, exists in limits.items() if exists}


def _append(name: str, value: str, action: str) -> Yaml:
    return {"append": {"header": {"key": name, "value": value}, "append_action": action}}


def _limit(name: str, rate: Rate, counted_by: Yaml) -> Yaml:
    """A rate limit that each Envoy counts by itself: a bucket for each client."""
    bucket = {
        "max_tokens": rate.amount,
        "tokens_per_fill": rate.amount,
        "fill_interval": f"{rate.seconds}s",
    }
    key = next(iter(counted_by))
    entry = {"key": "principal" if key == "metadata" else key}
    found = http_filter(
        "local_ratelimit",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix=name.rpartition(".")[2],
        filter_enabled=percent(100),
        filter_enforced=percent(100),
        rate_limits=[{"actions": [counted_by]}],
        # An entry without a value stands for each value that comes.
        descriptors=[{"entries": [entry], "token_bucket": bucket}],
        max_dynamic_descriptors=_CLIENTS,
        always_consume_default_token_bucket=False,
        # Of whom no entry tells; there is nobody.
        token_bucket={"max_tokens": 2**32 - 1, "fill_interval": "1s"},
        response_headers_to_add=[
            {
                "header": {
                    "key": "retry-after",
                    # Until there is another token.
                    "value": str(math.ceil(rate.seconds / rate.amount)),
                }
            }
        ],
    )
    return {**found, "name": name}
