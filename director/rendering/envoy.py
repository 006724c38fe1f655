"""The configuration of an Envoy that stands in front of services which were broken out.

It turns ProtoJSON over HTTP into gRPC by the contracts, as the director does, and looks after what
the director does at the door: tokens, rate limits, sizes, times, headers. What is answered to good
requests is the same, and so are the statuses of refusals; the bodies of these are Envoy's own. What
the director alone serves (its health, its documents, streams for clients) goes to the director,
where the topology has one.

Sources: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_json_transcoder_filter,
https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from director.rendering.descriptors import HttpPath, client_facing, http_paths
from director.rendering.envoy_clusters import (
    front_of,
    http_cluster,
    service_cluster,
    socket,
)
from director.rendering.envoy_extensions import Yaml, message
from director.rendering.envoy_filters import CORS, cors_policy, filters, router, transcoder
from director.rendering.envoy_routes import Routes, routes_of
from director.rendering.envoy_tokens import KEYS, KEYS_PATH, token_check
from seam.contract import ServiceDescriptor
from seam.http.limits import MAXIMUM_BODY_BYTES, MAXIMUM_HEAD_BYTES
from seam.http.settings import HttpSettings
from seam.runtime import Service
from seam.runtime.topology import Address, Topology

HEAD_TIMEOUT: Final = "10s"
BODY_TIMEOUT: Final = "60s"

_MANAGER: Final = "filters.network.http_connection_manager.v3.HttpConnectionManager"

_FETCH_FAILED: Final = "response.code_details.contains('remote_fetch')"


def envoy_configuration(
    topology: Topology,
    services: Sequence[Service],
    listen: Address,
    director: Address | None = None,
) -> Yaml:
    """The static configuration of an Envoy in front of the processes of a topology.

    Args:
        topology: where the services are; each that clients see must be reached over gRPC.
        services: all services of the system.
        listen: where Envoy takes requests.
        director: where it reaches the process that serves HTTP, if that is not where this listens.

    Raises:
        TopologyError: Envoy cannot reach a service that clients see, the process that serves HTTP,
            or the keys of who issues tokens.
    """
    contracts, paths = client_facing(services), http_paths(services)
    check = token_check(topology, paths, listen)
    front = front_of(topology)
    routes = Routes(topology.http, check, with_director=front is not None)
    listeners = [
        _listener(
            listen,
            [*routes.of(contracts, paths)],
            [*filters(contracts, topology.http, check)],
            topology.http,
        )
    ]
    owners = list(dict.fromkeys(contract.owner for contract in contracts))
    clusters = [service_cluster(owner, topology) for owner in owners]
    if front is not None:
        clusters.append(http_cluster(front, topology, director))
    if check is not None:
        clusters += check.clusters
        if check.own_keys is not None:
            listeners.append(_keys_listener(check.own_keys, contracts, paths))
    return {"static_resources": {"listeners": listeners, "clusters": clusters}}


def left_out(topology: Topology, services: Sequence[Service]) -> Iterator[str]:
    """What clients cannot have of an Envoy in front of a topology, a sentence for each."""
    if front_of(topology) is not None:
        return
    for path in http_paths(services):
        for method in path.streamed:
            yield (
                f"{method} {path.template} is left out: Envoy makes no streams for clients, and no "
                "process of the topology serves HTTP, which would."
            )


def _listener(
    listen: Address, routes: Sequence[Yaml], http_filters: Sequence[Yaml], settings: HttpSettings
) -> Yaml:
    host: Yaml = {"name": "all", "domains": ["*"], "routes": [*routes]}
    if settings.allowed_origins:
        host["typed_per_filter_config"] = {CORS: cors_policy(settings)}
    manager = message(
        _MANAGER,
        stat_prefix="front",
        server_header_transformation="PASS_THROUGH",
        **_clients(settings),
        # A request keeps the name that it came with, as at the director.
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        # A path means what was sent, as to the director.
        normalize_path=False,
        merge_slashes=False,
        path_with_escaped_slashes_action="KEEP_UNCHANGED",
        request_headers_timeout=HEAD_TIMEOUT,
        request_timeout=BODY_TIMEOUT,
        max_request_headers_kb=MAXIMUM_HEAD_BYTES // 1024,
        local_reply_config=_own_answers(),
        route_config={"virtual_hosts": [host]},
        http_filters=[*http_filters],
    )
    if settings.certificate is None:
        return _listening("front", listen, manager)
    return _listening("front", listen, manager, transport_socket=_served_over_tls(settings))


def _clients(settings: HttpSettings) -> Yaml:
    """Who is asking, where proxies stand between a client and Envoy."""
    if not settings.trusted_proxies:
        return {"use_remote_address": True}
    trusted = [
        {"address_prefix": str(each.network_address), "prefix_len": each.prefixlen}
        for each in settings.trusted_proxies
    ]
    extension = "http.original_ip_detection.xff"
    detection = message(
        f"{extension}.v3.XffConfig", xff_trusted_cidrs={"cidrs": trusted}, skip_xff_append=False
    )
    return {
        "original_ip_detection_extensions": [
            {"name": f"envoy.{extension}", "typed_config": detection}
        ]
    }


def _served_over_tls(settings: HttpSettings) -> Yaml:
    files = {
        "certificate_chain": {"filename": str(settings.certificate)},
        "private_key": {"filename": str(settings.key)},
    }
    context = {
        "tls_certificates": [files],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "alpn_protocols": ["h2", "http/1.1"],
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": message(
            "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=context
        ),
    }


def _own_answers() -> Yaml:
    """What Envoy itself answers, with the statuses that the director has."""
    return {
        "mappers": [
            {
                # What has no body must not get one.
                "filter": {"or_filter": {"filters": [_status_is(200), _status_is(204)]}},
                "body_format_override": {
                    "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
                    "content_type": "application/json",
                },
            },
            # A token for somebody else is a token that is refused.
            {"filter": _status_is(403), "status_code": 401},
            # It may be a good one: nobody can tell at present.
            {
                "filter": {
                    "extension_filter": {
                        "name": "envoy.access_loggers.extension_filters.cel",
                        "typed_config": message(
                            "access_loggers.filters.cel.v3.ExpressionFilter",
                            expression=_FETCH_FAILED,
                        ),
                    }
                },
                "status_code": 503,
            },
        ],
        "body_format": {
            "json_format": {"status": "%RESPONSE_CODE%", "detail": "%LOCAL_REPLY_BODY%"},
            "content_type": "application/problem+json",
        },
    }


def _status_is(status: int) -> Yaml:
    value = {"default_value": status, "runtime_key": f"own_answers_{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _keys_listener(
    address: Address, contracts: Sequence[ServiceDescriptor], paths: Sequence[HttpPath]
) -> Yaml:
    """The listener at which Envoy itself reads the keys of the shop's own issuer."""
    owner = next(path.owner for path in paths if path.template == KEYS_PATH)
    issuing = [contract for contract in contracts if contract.owner == owner]
    asked = {"match": {"path": KEYS_PATH}, "route": {"cluster": owner}}
    routes = [asked, *(route for contract in issuing for route in routes_of(contract))]
    manager = message(
        _MANAGER,
        stat_prefix="keys",
        route_config={"virtual_hosts": [{"name": "keys", "domains": ["*"], "routes": routes}]},
        http_filters=[transcoder(issuing), router()],
    )
    return _listening(KEYS, address, manager)


def _listening(name: str, address: Address, manager: Yaml, **chain: object) -> Yaml:
    filters_of_chain = [
        {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    ]
    return {
        "name": name,
        "address": socket(address),
        "per_connection_buffer_limit_bytes": MAXIMUM_BODY_BYTES,
        "filter_chains": [{"filters": filters_of_chain, **chain}],
    }
