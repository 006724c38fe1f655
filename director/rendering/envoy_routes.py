"""The routes of an Envoy in front of services: what contracts bind, and what the director serves.

Source: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from director.rendering.descriptors import HttpPath
from director.rendering.envoy_clusters import DIRECTOR
from director.rendering.envoy_extensions import Yaml
from director.rendering.envoy_filters import CORS, UNTOUCHED, cors_policy, without_limits
from director.rendering.envoy_tokens import TokenCheck
from seam.bus.grpc.request_stream import names
from seam.bus.retry_policy import ATTEMPTS, FIRST_BACKOFF, LONGEST_BACKOFF
from seam.contract import Kind, ServiceDescriptor
from seam.http.admission import NEVER_COUNTED
from seam.http.application import NOT_FOR_USERS
from seam.http.settings import HttpSettings

ALIVE: Final = "/healthz"

_ALIVE: Final = '{"status":"ok"}'

_WHATEVER_LONG: Final = "0s"
"""No timeout of Envoy's own: what holds is the contract's deadline."""


class Routes:
    """Makes the routes of one front."""

    def __init__(
        self, settings: HttpSettings, check: TokenCheck | None, *, with_director: bool
    ) -> None:
        """Make routes.

        Args:
            settings: how HTTP is served.
            check: how tokens are checked, if they are.
            with_director: whether something serves HTTP by itself.
        """
        self._settings = settings
        self._uncounted = without_limits(settings, check)
        self._with_director = with_director

    def of(
        self, contracts: Sequence[ServiceDescriptor], paths: Sequence[HttpPath]
    ) -> Iterator[Yaml]:
        """All routes, the first that matches first."""
        yield from self._own()
        yield _compressed()
        yield from self._http(paths)
        for contract in contracts:
            yield from routes_of(contract)

    def _own(self) -> Iterator[Yaml]:
        """What tells of a process and of the system."""
        yield {
            "match": {"path": ALIVE},
            "direct_response": {"status": 200, "body": {"inline_string": _ALIVE}},
            "typed_per_filter_config": {**UNTOUCHED, **self._uncounted},
        }
        if self._with_director:
            for path in sorted(NOT_FOR_USERS - {ALIVE}):
                uncounted = self._uncounted if path in NEVER_COUNTED else {}
                yield {
                    "match": {"path": path},
                    "route": {"cluster": DIRECTOR},
                    "typed_per_filter_config": {**UNTOUCHED, **uncounted},
                }

    def _http(self, paths: Sequence[HttpPath]) -> Iterator[Yaml]:
        """What is matched before transcoding: a path with a method that it has, then without.

        The transcoder goes on to gRPC's path from the first. Left alone, it has no answer to the
        second but that there is no such path. What ends in a verb is no variable's value.
        """
        for with_verb in (True, False):
            group = [path for path in paths if path.has_verb == with_verb]
            for path in group:
                yield from self._answered(path)
            for path in group:
                yield from self._refused(path)

    def _answered(self, path: HttpPath) -> Iterator[Yaml]:
        if self._with_director and (by_director := _by_director(path)):
            yield {
                "match": _match(path, by_director),
                "route": {
                    "cluster": DIRECTOR,
                    "timeout": _WHATEVER_LONG,
                    "upgrade_configs": [{"upgrade_type": "websocket"}],
                },
                "typed_per_filter_config": UNTOUCHED,
            }
        if path.methods:
            yield {
                "match": _match(path, path.methods),
                "route": {"cluster": path.owner, "timeout": _WHATEVER_LONG},
            }

    def _refused(self, path: HttpPath) -> Iterator[Yaml]:
        bound = {*path.methods, *(_by_director(path) if self._with_director else ())}
        if not bound:
            return
        allow = ", ".join(sorted({*bound, "OPTIONS"}))
        if self._settings.allowed_origins:
            yield _preflight(path, cors_policy(self._settings, allow))
        for status, methods in ((204, ("OPTIONS",)), (405, ())):
            yield {
                "match": _match(path, methods),
                "direct_response": {"status": status},
                "response_headers_to_add": [{"header": {"key": "allow", "value": allow}}],
                "typed_per_filter_config": UNTOUCHED,
            }


def _by_director(path: HttpPath) -> tuple[str, ...]:
    """The methods of a path that Envoy has no answer to, but the director has.

    It makes neither server-sent events nor WebSockets of a stream, and binds HEAD to nothing.
    """
    head = ("HEAD",) if "GET" in (*path.methods, *path.streamed) else ()
    return (*path.streamed, *head)


def routes_of(contract: ServiceDescriptor) -> Iterator[Yaml]:
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
        if method.kind is not Kind.UNARY:
            continue
        action: Yaml = {"cluster": contract.owner, "timeout": _WHATEVER_LONG}
        if method.retriable:
            action["retry_policy"] = again
        for name in names(method):
            yield {"match": {"path": f"/{contract.name}/{name}"}, "route": action}


def _preflight(path: HttpPath, policy: Yaml) -> Yaml:
    """What a browser asks on behalf of a script. The filter has an answer to all of it.

    It reads a policy only where a request would go on to a cluster; none does.
    """
    match = _match(path, ("OPTIONS",))
    match["headers"] += [
        {"name": name, "present_match": True}
        for name in ("origin", "access-control-request-method")
    ]
    return {
        "match": match,
        "route": {"cluster": path.owner},
        "typed_per_filter_config": {
            **UNTOUCHED,
            CORS: {**policy, "forward_not_matching_preflights": False},
        },
    }


def _compressed() -> Yaml:
    """A body that is compressed has no bound before it is read."""
    plain = {"name": "content-encoding", "string_match": {"exact": "identity"}}
    return {
        "match": {
            "prefix": "/",
            "headers": [
                {"name": "content-encoding", "present_match": True},
                {**plain, "invert_match": True},
            ],
        },
        "direct_response": {"status": 415},
        "typed_per_filter_config": UNTOUCHED,
    }


def _match(path: HttpPath, methods: Sequence[str]) -> Yaml:
    """What matches the requests of a path: with one of these methods, or with any."""
    found: Yaml = {"safe_regex": {"regex": path.regex}}
    if methods:
        expected = {"safe_regex": {"regex": "|".join(methods)}}
        found["headers"] = [{"name": ":method", "string_match": expected}]
    return found
