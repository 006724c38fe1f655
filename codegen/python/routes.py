"""protoc-gen-routes: writes the HTTP side of a contract's services.

For a contract with `google.api.http` rules whose records module is `M` it writes `M_routes`,
Litestar routes over each service's handler protocol, and `M_openapi`, their OpenAPI 3.1 document.
Run it as `python -m codegen.python.routes`, by way of protoc or buf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import (
    ContractFile,
    Field,
    HttpBinding,
    Kind,
    Message,
    Method,
    Presence,
    Scalar,
    Service,
    TypeRef,
)
from codegen.plugin import Output, run
from codegen.python.bus import raises
from codegen.python.docstrings import docstring
from codegen.python.json import enum_reader, scalar_reader
from codegen.python.openapi import openapi_module
from codegen.python.source import Imports, module_source, python_file, string

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["generate"]

# Variables and parameters of the functions in the module.
_VARIABLES = (
    "api",
    "body",
    "frame",
    "message",
    "query",
    "read_frame",
    "record",
    "request",
    "requests",
)


def generate(file: ContractFile) -> Iterator[Output]:
    """The modules of one contract; none when it has no HTTP rules."""
    if any(_has_http(service) for service in file.services):
        yield python_file(f"{file.module}_routes", routes_module(file))
        yield python_file(f"{file.module}_openapi", openapi_module(file))


def routes_module(file: ContractFile) -> str:
    """The module that holds the routes of a contract."""
    services = [service for service in file.services if _has_http(service)]
    exports: list[str] = []
    for service in services:
        exports += [names.http_constant(service.name), names.router_function(service.name)]
    # The route functions stand inside the router functions, where they would hide imports.
    inner = [
        name for service in services for method in service.methods for name, _ in _bindings(method)
    ]
    writer = _Writer(file, Imports(f"{file.module}_routes", [*exports, *inner, *_VARIABLES]))
    body = [part for service in services for part in writer.service(service)]
    summary = f"HTTP routes of the contract `{file.path}`."
    return module_source(file, summary, writer.imports, exports, body)


def _has_http(service: Service) -> bool:
    return any(method.http for method in service.methods)


def _litestar_path(binding: HttpBinding) -> str:
    """The path as Litestar has it, whose variables are called after their places.

    Paths that match the same requests are then the same, whatever their contracts call variables.
    A verb after a variable is a segment of its own, as `seam.http.routing` shows it to Litestar.
    """
    parts = [
        segment if isinstance(segment, str) else f"{{segment_{at}:str}}"
        for at, segment in enumerate(binding.segments, 1)
    ]
    return "/" + "/".join([*parts, *filter(None, [binding.suffix])])


def _variable(binding: HttpBinding, field: Field) -> str:
    return f"segment_{binding.segments.index(field) + 1}"


def _bindings(method: Method) -> Iterator[tuple[str, HttpBinding]]:
    """The route functions of a method: their names and what they bind."""
    for at, binding in enumerate(method.http, 1):
        yield names.route_function(method.attribute, at), binding


class _Writer:
    """Writes the routes of one contract."""

    def __init__(self, file: ContractFile, imports: Imports) -> None:
        self.imports = imports
        self._file = file

    def _http(self, name: str) -> str:
        return self.imports.name("seam.http", name)

    def _to_json(self, type_: TypeRef | Message) -> str:
        module = names.json_module(type_.module)
        return self.imports.name(module, names.to_json_function(type_.name))

    def _from_json(self, type_: TypeRef) -> str:
        module = names.json_module(type_.module)
        return self.imports.name(module, names.from_json_function(type_.name))

    def _exception(self, error: Message) -> str:
        return self.imports.name(error.module, names.exception_class(error.name))

    def service(self, service: Service) -> Iterator[str]:
        bus = f"{self._file.module}_bus"
        # What travels beside a request is known to stubs, and to no handler's signature; so is how
        # a stream is left.
        needs_stub = any(
            method.idempotency_key or (method.http and method.kind is not Kind.UNARY)
            for method in service.methods
        )
        class_ = names.stub_class if needs_stub else names.handler_class
        handler = self.imports.name(bus, class_(service.name))
        router = self.imports.name("litestar", "Router")
        rows = [
            f"def {names.router_function(service.name)}(api: {handler}) -> {router}:",
            "    " + docstring(f"Make the routes of `{service.full_name}`, answered by `api`.", 4),
        ]
        functions: list[str] = []
        for method in service.methods:
            for name, binding in _bindings(method):
                functions.append(name)
                rows.append("")
                rows += [f"    {row}" for row in self._route(service, method, name, binding)]
        rows += ["", f'    return {router}(path="/", route_handlers=[{", ".join(functions)}])']
        yield "\n".join(rows)
        yield self._constant(service)

    def _constant(self, service: Service) -> str:
        bus = f"{self._file.module}_bus"
        descriptor = self.imports.name(bus, names.service_constant(service.name))
        stub = self.imports.name(bus, names.stub_class(service.name))
        openapi = self.imports.module(f"{self._file.module}_openapi")
        errors = {
            error.full_name: error
            for method in service.methods
            if method.http
            for error in method.errors
        }
        entries = "".join(
            f"{self._exception(error)}: {self._to_json(error)}," for error in errors.values()
        )
        return (
            f"{names.http_constant(service.name)}: {self.imports.name('typing', 'Final')} = "
            f"{self._http('HttpApi')}(descriptor={descriptor}, stub={stub}, "
            f"router={names.router_function(service.name)}, errors={{{entries}}}, "
            f"openapi={openapi}.DOCUMENT,)"
        )

    def _route(
        self, service: Service, method: Method, name: str, binding: HttpBinding
    ) -> Iterator[str]:
        verb = self.imports.name("litestar", binding.verb)
        # By itself, Litestar answers 201 to a POST and 204 to a DELETE; transcoders always say 200.
        status = ", status_code=200" if binding.verb in ("post", "delete") else ""
        full_name = f"{service.full_name}.{method.name}"
        at = method.http.index(binding)
        label = full_name if not at else f"{full_name}.{at + 1}"
        path = string(_litestar_path(binding))
        yield f"@{verb}({path}, name={string(label)}{status}, include_in_schema=False)"
        yield f"async def {name}(request: {self._http('HttpRequest')}) -> {self._answer(method)}:"
        text = method.comment or f"Answer `{method.name}`."
        yield from f"    {docstring(text, 8, raises(method, self.imports))}".split("\n")
        for row in self._request(method, binding):
            yield f"    {row}"
        key = ""
        if method.idempotency_key:
            key = f", metadata={self._http('idempotency_key')}(request)"
        to_json = self._to_json(method.response)
        if method.kind is Kind.BIDIRECTIONAL:
            yield ""
            for row in self._frame_reader(method, binding):
                yield f"    {row}"
            yield ""
            call = f"lambda requests: api.{method.attribute}(requests{key})"
            arguments = f"{call}, message, read_frame, {to_json}"
            yield f"    return {self._http('Conversation')}({arguments})"
        elif method.kind is Kind.SERVER_STREAMING:
            arguments = f"lambda: api.{method.attribute}(message{key}), {to_json}"
            if method.events_resume is not None:
                arguments += f", lambda record: record.{method.events_resume.response.attribute}"
            yield f"    return {self._http('EventStream')}({arguments})"
        else:
            call = f"await api.{method.attribute}(message{key})"
            yield f"    return {self._http('reply')}({to_json}({call}))"

    def _answer(self, method: Method) -> str:
        """The type of what a route answers with."""
        if method.kind is Kind.BIDIRECTIONAL:
            request = self.imports.type(method.request)
            return f"{self._http('Conversation')}[{request}, {self.imports.type(method.response)}]"
        if method.kind is Kind.SERVER_STREAMING:
            return f"{self._http('EventStream')}[{self.imports.type(method.response)}]"
        return f"{self.imports.name('litestar', 'Response')}[bytes]"

    def _frame_reader(self, method: Method, binding: HttpBinding) -> Iterator[str]:
        """The function that reads a further request from a frame, which leaves out the path's."""
        read = self._from_json(method.request)
        yield f"def read_frame(frame: object) -> {self.imports.type(method.request)}:"
        if not binding.path_fields:
            yield f"    return {read}(frame)"
            return
        for row in self._bound_body(binding, "frame"):
            yield f"    {row}"
        yield f"    return {read}(body)"

    def _request(self, method: Method, binding: HttpBinding) -> Iterator[str]:
        """The rows that read the request into `message`."""
        if binding.has_body and binding.body is None:
            yield f"{self._http('Query')}(request).finish()"
            yield from self._whole_body(method, binding)
            return
        arguments = [f"{f.attribute}={self._path_value(binding, f)}" for f in binding.path_fields]
        if not binding.query:
            yield f"{self._http('Query')}(request).finish()"
        else:
            yield f"query = {self._http('Query')}(request)"
            for field in binding.query:
                value = self._query_value(field)
                if method.events_resume is not None and method.events_resume.request == field:
                    helper = self._http("last_event_id")
                    value = f"{helper}(request, {self._text_reader(field)}, {value})"
                arguments.append(f"{field.attribute}={value}")
        if binding.body is not None:
            assert isinstance(binding.body.type, TypeRef)
            read = self._from_json(binding.body.type)
            body = f"{read}(await {self._http('read_json')}(request))"
            arguments.append(f"{binding.body.attribute}={body}")
        comma = "," if len(arguments) > 1 else ""
        yield f"message = {self.imports.type(method.request)}({', '.join(arguments)}{comma})"
        if binding.query:
            yield "query.finish()"

    def _whole_body(self, method: Method, binding: HttpBinding) -> Iterator[str]:
        read = self._from_json(method.request)
        body = f"await {self._http('read_json')}(request)"
        if not binding.path_fields:
            yield f"message = {read}({body})"
            return
        yield from self._bound_body(binding, body)
        yield f"message = {read}(body)"

    def _bound_body(self, binding: HttpBinding, value: str) -> Iterator[str]:
        """The rows that put what the path says into `body`, beside the members of a value."""
        read_object = self.imports.name("seam.codec.protojson", "read_object")
        yield f"body = dict({read_object}({value}))"
        for field in binding.path_fields:
            said = self._path_text(binding, field)
            if field.type is Scalar.BOOL:
                said = self._path_value(binding, field)
            listed = ", ".join(string(name) for name in field.names)
            yield f"{self._http('bind_path')}(body, {said}, {listed})"

    def _path_text(self, binding: HttpBinding, field: Field) -> str:
        return f"{self._http('path_value')}(request, {string(_variable(binding, field))})"

    def _path_value(self, binding: HttpBinding, field: Field) -> str:
        value = self._path_text(binding, field)
        if field.type is Scalar.STRING:
            return value
        read_at = self.imports.name("seam.codec.protojson", "read_at")
        return f"{read_at}({string(field.json_name)}, {self._text_reader(field)}, {value})"

    def _query_value(self, field: Field) -> str:
        listed = ", ".join(string(name) for name in field.names)
        reader = self._text_reader(field)
        if field.repeated:
            return f"query.many({reader}, {listed})"
        if field.presence is Presence.REQUIRED:
            return f"query.required({reader}, {listed})"
        return f"query.one({reader}, {self._default(field)}, {listed})"

    def _default(self, field: Field) -> str:
        if field.presence is Presence.OPTIONAL:
            return "None"
        if isinstance(field.type, TypeRef):
            return f"{self.imports.type(field.type)}(0)"
        assert isinstance(field.type, Scalar)
        return field.type.default

    def _text_reader(self, field: Field) -> str:
        """The function that reads a field from text, where `true` cannot be told from `"true"`."""
        type_ = field.type
        if isinstance(type_, TypeRef):
            return enum_reader(type_, self.imports)
        if Scalar.BOOL in (type_, getattr(type_, "scalar", None)):
            return self.imports.name("seam.codec.protojson", "read_bool_text")
        return scalar_reader(type_, self.imports)


if __name__ == "__main__":
    run(generate)
