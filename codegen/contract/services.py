"""Reads the services of a contract: methods, their errors and deadlines, access, HTTP bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from codegen import names
from codegen.contract.access import AccessReader
from codegen.contract.declarations import FIELD_MASK
from codegen.contract.http_rules import HttpRuleReader
from codegen.contract.model import (
    Enum,
    HttpBinding,
    IdempotencyLevel,
    Kind,
    Location,
    Message,
    Method,
    Problem,
    Service,
    TypeRef,
)
from codegen.contract.options import HTTP, METHOD, Options
from codegen.contract.reserved import NameChecker
from codegen.contract.streams import read_resume, refuse_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message as ProtoMessage

    from codegen.contract.comments import SourceInfo
    from codegen.contract.declarations import Declarations

__all__ = ["ServiceReader"]

_DEFAULT_TIMEOUT = 10.0
_LONGEST_TIMEOUT = 365 * 86_400.0

# Extensions of MethodOptions: contract.v1's and google.api's.
_METHOD_FIELD = 50001
_HTTP_FIELD = 72295728

_Path = tuple[int, ...]

# Messages that become plain Python values, which no method can take or give.
_VALUES = frozenset(
    f"google.protobuf.{name}"
    for name in (
        "Timestamp",
        "Duration",
        *(f"{each}Value" for each in ("Double", "Float", "Bool", "String", "Bytes")),
        *(f"{each}Value" for each in ("Int64", "UInt64", "Int32", "UInt32")),
    )
)

# Whether the client streams, and whether the server does.
_KINDS = {
    (False, False): Kind.UNARY,
    (False, True): Kind.SERVER_STREAMING,
    (True, False): Kind.CLIENT_STREAMING,
    (True, True): Kind.BIDIRECTIONAL,
}


class ServiceReader:
    """Reads the services of one file.

    Args:
        file: the file.
        options: reads options.
        source: locations in the file.
        problems: collects what is wrong.
        declarations: what all files declare.
        types: the types that were read.
    """

    def __init__(
        self,
        file: FileDescriptorProto,
        *,
        options: Options,
        source: SourceInfo,
        problems: list[Problem],
        declarations: Declarations,
        types: Mapping[str, Message | Enum],
    ) -> None:
        self._file = file
        self._options = options
        self._source = source
        self._problems = problems
        self._declarations = declarations
        self._types = types
        self._checked = NameChecker(problems)
        self._access = AccessReader(problems)
        self._is_client_facing = file.name.rpartition("/")[2] == "api.proto"
        self._routes: dict[tuple[str, str], str] = {}

    def services(self) -> tuple[Service, ...]:
        """The services, in the file's order."""
        return tuple(self._service(s, (6, i)) for i, s in enumerate(self._file.service))

    def _refuse(self, location: Location, reason: str) -> None:
        self._problems.append(Problem(location, reason))

    def _service(self, service: ServiceDescriptorProto, path: _Path) -> Service:
        prefix = f"{self._file.package}." if self._file.package else ""
        full = prefix + service.name
        self._checked.type(service.name, self._source.location(*path))
        methods = (
            self._method(descriptor, full, (*path, 2, i))
            for i, descriptor in enumerate(service.method)
        )
        return Service(
            full_name=full,
            name=service.name,
            methods=tuple(method for method in methods if method is not None),
            comment=self._source.comment(*path),
            location=self._source.location(*path),
        )

    def _method(self, method: MethodDescriptorProto, service: str, path: _Path) -> Method | None:
        place = self._source.location(*path)
        self._checked.method(method.name, place)
        request = self._message_type(method.input_type, place, method.name)
        response = self._message_type(method.output_type, place, method.name)
        if request is None or response is None:
            return None
        spec = self._options.get(method.options, METHOD)
        spec_place = self._source.location(*path, 4, _METHOD_FIELD)
        rule = self._options.get(method.options, HTTP)
        idempotency = MethodOptions.IdempotencyLevel.Name(method.options.idempotency_level)
        kind = _KINDS[method.client_streaming, method.server_streaming]
        http = self._http(method, rule, f"{service}.{method.name}", path, request)
        resume = read_resume(
            spec,
            kind,
            http=http,
            request=request,
            response=response,
            types=self._types,
            refuse=lambda reason: self._refuse(spec_place, f"{method.name}: {reason}"),
        )
        return Method(
            name=method.name,
            attribute=names.attribute_name(names.snake(method.name)),
            kind=kind,
            request=request,
            response=response,
            timeout=self._timeout(spec, spec_place, method.name),
            idempotency=IdempotencyLevel(idempotency.removeprefix("IDEMPOTENCY_")),
            idempotency_key=bool(getattr(spec, "idempotency_key", False)),
            errors=self._errors(spec, spec_place, method.name),
            access=self._access.read(
                spec,
                method.name,
                place if spec is None else spec_place,
                is_client_facing=self._is_client_facing or rule is not None,
            ),
            http=http,
            comment=self._source.comment(*path),
            location=place,
            resume=resume,
        )

    def _message_type(self, type_name: str, place: Location, method: str) -> TypeRef | None:
        name = type_name.removeprefix(".")
        reason = self._declarations.without_records.get(name)
        if name in _VALUES:
            reason = "it is a value, not a record; give the method a message of its own"
        if reason is not None:
            self._refuse(place, f"{method}: {name} is not supported: {reason}")
            return None
        return self._declarations.types[name]

    def _timeout(self, spec: ProtoMessage | None, place: Location, method: str) -> float:
        if spec is None or not spec.HasField("timeout"):
            return _DEFAULT_TIMEOUT
        timeout = getattr(spec, "timeout", None)
        seconds = float(getattr(timeout, "seconds", 0)) + getattr(timeout, "nanos", 0) / 1e9
        if seconds <= 0:
            self._refuse(place, f"{method}: timeout must be longer than nothing")
        if seconds > _LONGEST_TIMEOUT:
            self._refuse(
                place, f"{method}: timeout must be at most a year; no transport keeps more"
            )
        return seconds

    def _errors(
        self, spec: ProtoMessage | None, place: Location, method: str
    ) -> tuple[Message, ...]:
        found: dict[str, Message] = {}
        for name in getattr(spec, "errors", ()):
            message = self._types.get(f"{self._file.package}.{name}") or self._types.get(name)
            if not isinstance(message, Message):
                self._refuse(place, f"{method}: errors names {name}, which is no message here")
            elif message.error is None:
                advice = "it has no option (contract.v1.error)"
                self._refuse(place, f"{method}: errors names {name}, which is no error: {advice}")
            elif message.full_name in found:
                self._refuse(place, f"{method}: errors names {name} twice")
            else:
                found[message.full_name] = message
        return tuple(found.values())

    def _http(
        self,
        method: MethodDescriptorProto,
        rule: ProtoMessage | None,
        full_name: str,
        path: _Path,
        request: TypeRef,
    ) -> tuple[HttpBinding, ...]:
        message = self._types.get(request.full_name)
        if rule is None or not isinstance(message, Message):
            return ()
        place = self._source.location(*path, 4, _HTTP_FIELD)
        kind = _KINDS[method.client_streaming, method.server_streaming]
        if kind is Kind.CLIENT_STREAMING:
            reason = "a stream of requests with one answer cannot be bound to HTTP"
            self._refuse(place, f"{method.name}: {reason}")
            return ()
        if request.full_name == FIELD_MASK:
            reason = "a request over HTTP is a JSON object, and a FieldMask is a string"
            self._refuse(place, f"{method.name}: {reason}")
            return ()
        reader = HttpRuleReader(
            method.name, message, place, self._problems, frames=kind is Kind.BIDIRECTIONAL
        )
        bindings = reader.read(rule)
        refusal = refuse_stream(kind, bindings)
        if refusal is not None:
            self._refuse(place, f"{method.name}: {refusal}")
            return ()
        for binding in bindings:
            # Two paths that differ only in what their variables are called match the same requests.
            route = f"{binding.verb} {binding.path()}"
            other = self._routes.get((binding.verb, binding.shape))
            if other is not None:
                self._refuse(place, f"{method.name}: {route} is bound by {other} already")
            self._routes[binding.verb, binding.shape] = f"{full_name} ({place})"
        return bindings
