"""The configuration of an Envoy that stands in front of services which were broken out.

It turns ProtoJSON over HTTP into gRPC by the contracts, as the director does. What is answered to
good requests is the same, and so are the statuses of refusals; the bodies of these are Envoy's own.
What is served by the director alone (its health, its documents) goes to the director, where the
topology has one.

Sources: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_json_transcoder_filter,
https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from director.rendering.descriptors import (
    HttpPath,
    client_facing,
    descriptor_set,
    http_paths,
)
from seam.bus.grpc.request_stream import names
from seam.bus.retry_policy import ATTEMPTS, FIRST_BACKOFF, LONGEST_BACKOFF
from seam.contract import ServiceDescriptor
from seam.http.limits import MAXIMUM_BODY_BYTES, MAXIMUM_HEAD_BYTES
from seam.runtime import Service
from seam.runtime.topology import DNS, UNIX, Address, Process, Topology, TopologyError

Yaml: TypeAlias = dict[str, Any]
"""What becomes a mapping in a document."""

_V3: Final = "type.googleapis.com/envoy.extensions"
_MANAGER: Final = "filters.network.http_connection_manager.v3.HttpConnectionManager"
_TRANSCODER: Final = "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"

DIRECTOR: Final = "director"
"""The cluster of what serves HTTP by itself."""

OWN_PATHS: Final = ("/readyz", "/metrics", "/schema")
"""What a process that serves HTTP answers besides the routes of contracts."""

_ALIVE: Final = '{"status":"ok"}'

_UNTOUCHED: Final[Yaml] = {
    "envoy.filters.http.grpc_json_transcoder": {
        "@type": f"{_V3}.{_TRANSCODER}",
        "services": [],
        "proto_descriptor_bin": "",
    }
}
"""Of a route whose requests the transcoder leaves alone."""

CONNECT_TIMEOUT: Final = "1s"
HEAD_TIMEOUT: Final = "10s"
BODY_TIMEOUT: Final = "60s"


def envoy_configuration(topology: Topology, services: Sequence[Service], listen: Address) -> Yaml:
    """The static configuration of an Envoy in front of the processes of a topology.

    Args:
        topology: where the services are; each that clients see must be reached over gRPC.
        services: all services of the system.
        listen: where Envoy takes requests.

    Raises:
        TopologyError: Envoy cannot reach a service that clients see.
    """
    contracts = client_facing(services)
    paths = http_paths(services)
    owners = list(dict.fromkeys(contract.owner for contract in contracts))
    clusters = [_cluster_of(owner, topology) for owner in owners]
    front = next((each for each in topology.processes.values() if each.http is not None), None)
    if front is not None and front.http is not None:
        clusters.append(_http_cluster(front.http))
    return {
        "static_resources": {
            "listeners": [_listener(contracts, paths, listen, with_director=front is not None)],
            "clusters": clusters,
        }
    }


def _listener(
    contracts: Sequence[ServiceDescriptor],
    paths: Sequence[HttpPath],
    listen: Address,
    *,
    with_director: bool,
) -> Yaml:
    routes = [*_own_routes(with_director=with_director), *_http_routes(paths)]
    for contract in contracts:
        routes.extend(_routes_of(contract))
    manager = {
        "@type": f"{_V3}.{_MANAGER}",
        "stat_prefix": "front",
        "server_header_transformation": "PASS_THROUGH",
        "use_remote_address": True,
        # A path means what was sent, as to the director.
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "request_headers_timeout": HEAD_TIMEOUT,
        "request_timeout": BODY_TIMEOUT,
        "max_request_headers_kb": MAXIMUM_HEAD_BYTES // 1024,
        "local_reply_config": {
            "mappers": [
                {
                    "filter": {
                        "status_code_filter": {
                            "comparison": {
                                "op": "EQ",
                                "value": {"default_value": 200, "runtime_key": "own_answers"},
                            }
                        }
                    },
                    "body_format_override": {
                        "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
                        "content_type": "application/json",
                    },
                }
            ],
            "body_format": {
                "json_format": {"status": "%RESPONSE_CODE%", "detail": "%LOCAL_REPLY_BODY%"},
                "content_type": "application/problem+json",
            },
        },
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [*_filters(contracts)],
    }
    return {
        "name": "front",
        "address": _socket(listen),
        "per_connection_buffer_limit_bytes": MAXIMUM_BODY_BYTES,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }


def _filters(contracts: Sequence[ServiceDescriptor]) -> Iterator[Yaml]:
    # Deadlines are the contract's: a client sets none. What gRPC says beside the answer is no
    # client's concern, and is taken out before the transcoder, which reads it, has written.
    yield _filter(
        "header_mutation",
        "filters.http.header_mutation.v3.HeaderMutation",
        mutations={
            "request_mutations": [{"remove": "grpc-timeout"}, {"remove": "content-type"}],
            "response_mutations": [
                {"remove": "grpc-status"},
                {"remove": "grpc-message"},
                {"remove": "grpc-accept-encoding"},
            ],
        },
    )
    yield _filter(
        "buffer",
        "filters.http.buffer.v3.Buffer",
        max_request_bytes=MAXIMUM_BODY_BYTES,
    )
    yield _filter(
        "grpc_json_transcoder",
        _TRANSCODER,
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
    yield _filter("router", "filters.http.router.v3.Router", suppress_envoy_headers=True)


def _filter(name: str, type_name: str, **settings: object) -> Yaml:
    config = {"@type": f"{_V3}.{type_name}", **settings}
    return {"name": f"envoy.filters.http.{name}", "typed_config": config}


def _own_routes(*, with_director: bool) -> Iterator[Yaml]:
    yield {
        "match": {"path": "/healthz"},
        "direct_response": {"status": 200, "body": {"inline_string": _ALIVE}},
        "typed_per_filter_config": _UNTOUCHED,
    }
    if with_director:
        for path in OWN_PATHS:
            yield {
                "match": {"path_separated_prefix": path},
                "route": {"cluster": DIRECTOR},
                "typed_per_filter_config": _UNTOUCHED,
            }


def _http_routes(paths: Sequence[HttpPath]) -> Iterator[Yaml]:
    """What is matched before transcoding: a path with a method that it has, then without.

    The transcoder goes on to gRPC's path from the first. Left alone, it has no answer to the second
    but that there is no such path. What ends in a verb is no variable's value.
    """
    verbs = [path for path in paths if path.has_verb]
    others = [path for path in paths if not path.has_verb]
    for group in (verbs, others):
        for path in group:
            methods = _method_is("|".join(path.methods))
            yield {
                "match": {"safe_regex": {"regex": path.regex}, "headers": [methods]},
                "route": {"cluster": path.owner, "timeout": "0s"},
            }
        for path in group:
            allow = ", ".join(sorted({*path.methods, "OPTIONS"}))
            for status, match in ((204, {"headers": [_method_is("OPTIONS")]}), (405, {})):
                yield {
                    "match": {"safe_regex": {"regex": path.regex}, **match},
                    "direct_response": {"status": status},
                    "response_headers_to_add": [{"header": {"key": "allow", "value": allow}}],
                    "typed_per_filter_config": _UNTOUCHED,
                }


def _method_is(methods: str) -> Yaml:
    return {"name": ":method", "string_match": {"safe_regex": {"regex": methods}}}


def _routes_of(contract: ServiceDescriptor) -> Iterator[Yaml]:
    """The routes of a contract service, which match gRPC's paths after transcoding.

    There is never one for everything: gRPC from outside would reach internal services by it.
    """
    again = {
        "retry_on": "unavailable,connect-failure,refused-stream",
        "num_retries": ATTEMPTS - 1,
        "retry_back_off": {
            "base_interval": f"{FIRST_BACKOFF}s",
            "max_interval": f"{LONGEST_BACKOFF}s",
        },
    }
    for method in contract.methods:
        # 0 leaves the contract's deadline in force, and not Envoy's.
        action: Yaml = {"cluster": contract.owner, "timeout": "0s"}
        if method.retriable:
            action["retry_policy"] = again
        for name in names(method):
            yield {"match": {"path": f"/{contract.name}/{name}"}, "route": action}


def _cluster_of(owner: str, topology: Topology) -> Yaml:
    process = topology.home(owner)
    if process is None or not process.addresses:
        where = "no process" if process is None else f"process '{process.name}', which has no grpc"
        raise TopologyError(
            f"{owner} is in {where}; expected an address over which Envoy reaches it by gRPC"
        )
    kind, endpoints = _endpoints(process)
    http2 = "upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": owner,
        "type": kind,
        "connect_timeout": CONNECT_TIMEOUT,
        "lb_policy": "ROUND_ROBIN",
        "typed_extension_protocol_options": {
            f"envoy.extensions.{http2}": {
                "@type": f"{_V3}.{http2}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "health_checks": [
            {
                "timeout": "2s",
                "interval": "2s",
                "no_traffic_interval": "2s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "grpc_health_check": {},
            }
        ],
        "outlier_detection": {"consecutive_5xx": 0, "consecutive_gateway_failure": 5},
        "load_assignment": {
            "cluster_name": owner,
            "endpoints": [{"lb_endpoints": [{"endpoint": each} for each in endpoints]}],
        },
    }


def _http_cluster(address: Address) -> Yaml:
    return {
        "name": DIRECTOR,
        "type": "STRICT_DNS",
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": {
            "cluster_name": DIRECTOR,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket(address)}}]}],
        },
    }


def _endpoints(process: Process) -> tuple[str, list[Yaml]]:
    """How Envoy finds a process, and where."""
    if process.addresses[0].startswith(DNS):
        address = Address.parse(process.addresses[0].removeprefix(DNS))
        return "STRICT_DNS", [{"address": _socket(address)}]
    addresses = [Address.parse(each) for each in process.addresses]
    kind = "STATIC" if all(each.is_unix for each in addresses) else "STRICT_DNS"
    return kind, [{"address": _socket(each)} for each in addresses]


def _socket(address: Address) -> Yaml:
    if address.is_unix:
        return {"pipe": {"path": address.host.removeprefix(UNIX)}}
    return {"socket_address": {"address": address.host, "port_value": address.port}}
