"""Writes clients: a class with a function for each method, and the exceptions of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from codegen.client.names import lower_first
from codegen.client.paging import page_items
from codegen.client.roles import client_methods, primary_binding
from codegen.client.session import SessionRole, session_role
from codegen.contract.comments import first_sentence
from codegen.contract.model import IdempotencyLevel, Kind, Message
from codegen.kotlin.names import NameAllocator, string
from codegen.kotlin.source import bracketed, closure, documentation
from codegen.kotlin.types import needs_nothing, single_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.contract.model import Enum, Method, Service
    from codegen.kotlin.module import Module

__all__ = ["ServiceWriter"]

_CALLS = {
    Kind.UNARY: "call",
    Kind.SERVER_STREAMING: "stream",
    Kind.BIDIRECTIONAL: "converse",
}

# What each object has by itself, with the constructor's property.
_TAKEN = {"connection", "equals", "hashCode", "toString"}


class ServiceWriter:
    """Writes what one service is to clients.

    Args:
        service: the service.
        module: the file that it goes into.
    """

    def __init__(self, service: Service, module: Module) -> None:
        self.service = service
        self.methods = tuple(client_methods(service))
        self.names = module.clients[service.full_name]
        self._module = module
        self._types: Mapping[str, Message | Enum] = module.types
        names = NameAllocator(_TAKEN)
        self.functions = {
            method.name: names.take(lower_first(method.name)) for method in self.methods
        }
        self._paged = {
            method.name: (
                names.take(f"{self.functions[method.name]}Pages"),
                names.take(f"{self.functions[method.name]}All"),
            )
            for method in self.methods
            if page_items(method, self._types) is not None
        }
        self.constants = {
            method.name: names.take(f"{self.functions[method.name]}Method")
            for method in self.methods
        }
        self._errors = self._name_errors()

    def written(self) -> Iterator[str]:
        """The class of the client, and that of its exceptions."""
        known = self._module.imports.known
        head = f"class {self.names.client} internal constructor("
        rows = [
            *documentation(self.service.comment),
            f"{head}private val connection: {known('Connection')}) {{",
        ]
        for method in self.methods:
            for function in self._functions(method):
                rows += [*function, ""]
        rows.append("    internal companion object {")
        for at, method in enumerate(self.methods):
            rows += [""] if at else []
            rows += self._constant(method)
        yield "\n".join([*rows, "    }", "}"])
        if self._errors:
            yield self._exception()

    def _name_errors(self) -> dict[str, str]:
        names = NameAllocator({"Companion", self.names.exception})
        found = {error.full_name for method in self.methods for error in method.errors}
        return {each: names.take(each.rpartition(".")[2]) for each in sorted(found)}

    def _exception(self) -> str:
        known = self._module.imports.known
        name = self.names.exception
        details = f"details: {known('ErrorDetails')}"
        rows = [
            *documentation(f"What methods of [{self.names.client}] may be refused with."),
            f"sealed class {name} private constructor({details}) :",
            f"    {known('ApiException')}(details) {{",
        ]
        for at, (full_name, nested) in enumerate(self._errors.items()):
            message = self._types[full_name]
            home = self._module.home(full_name)
            hidden = self._errors.values()
            type_ = self._module.imports.name(home.package, home.own(full_name), hidden)
            property_ = f"val error: {type_}"
            rows += [""] if at else []
            rows += documentation(message.comment, 4)
            parameters = [property_, details]
            head = f"class {nested} internal constructor("
            rows.append(f"    {bracketed(head, parameters, ') :', indent=4)}")
            rows.append(f"        {name}(details)")
        return "\n".join([*rows, "}"])

    def _functions(self, method: Method) -> Iterator[list[str]]:
        known = self._module.imports.known
        response = self._module.type(method.response)
        # Where a WebSocket is closed there is no room for the fields of an error.
        told = () if method.kind is Kind.BIDIRECTIONAL else method.errors
        notes = [
            f"@throws {self.names.exception}.{self._errors[error.full_name]} "
            f"{first_sentence(error.comment)}".rstrip()
            for error in told
        ]
        documented = documentation(method.comment, 4, notes)
        name = self.functions[method.name]
        call = _CALLS[method.kind]
        if call != "call":
            known(call)
        result = {
            Kind.SERVER_STREAMING: f"{known('Flow')}<{response}>",
            Kind.BIDIRECTIONAL: f"{known('Conversation')}<{self._request(method)}, {response}>",
        }.get(method.kind, response)
        fun = "fun" if method.kind is Kind.SERVER_STREAMING else "suspend fun"
        yield [
            *documented,
            f"    {self._head(f'{fun} {name}', method, result)}",
            f"        connection.{call}({self.constants[method.name]}, request, options)",
        ]
        if method.name in self._paged:
            yield from self._paging(method, response)

    def _paging(self, method: Method, response: str) -> Iterator[list[str]]:
        known = self._module.imports.known
        field = page_items(method, self._types)
        assert field is not None
        pages, items = self._paged[method.name]
        asks = self._property(method.request.full_name, "page_token")
        tells = self._property(method.response.full_name, "next_page_token")
        holds = self._property(method.response.full_name, field.name)
        item = self._item_type(method)
        known("pages")
        known("items")
        name = self.functions[method.name]
        all_pages = f"All pages of [{name}], from the one that the request names on."
        head = self._head(f"fun {pages}", method, f"{known('Flow')}<{response}>")
        arguments = [self.constants[method.name], "request", "options", f"{{ it.{tells} }}"]
        call = f"connection.pages({', '.join(arguments)})"
        yield [
            *documentation(all_pages, 4),
            f"    {head}",
            f"        {closure(call, f'request.copy({asks} = it)', indent=8)}",
        ]
        all_items = f"All items of [{name}], page by page as they are collected."
        head = self._head(f"fun {items}", method, f"{known('Flow')}<{item}>")
        yield [
            *documentation(all_items, 4),
            f"    {head}",
            f"        {pages}(request, options).items {{ it.{holds} }}",
        ]

    def _item_type(self, method: Method) -> str:
        response = self._types[method.response.full_name]
        field = page_items(method, self._types)
        assert isinstance(response, Message)
        assert field is not None
        return single_type(field.type, self._module)

    def _head(self, name: str, method: Method, result: str) -> str:
        known = self._module.imports.known
        request = self._request(method)
        message = self._types[method.request.full_name]
        assert isinstance(message, Message)
        default = f" = {request}" if request == known("Unit") else f" = {request}()"
        is_bound = bool(primary_binding(method).path_fields)
        optional = default if needs_nothing(message, self._module) and not is_bound else ""
        options = known("CallOptions")
        parameters = [f"request: {request}{optional}", f"options: {options} = {options}()"]
        return bracketed(f"{name}(", parameters, f"): {result} =", indent=4)

    def _request(self, method: Method) -> str:
        return self._module.type(method.request)

    def _property(self, full_name: str, field: str) -> str:
        return self._module.home(full_name).properties[full_name][field]

    def _constant(self, method: Method) -> Iterator[str]:
        known = self._module.imports.known
        response = self._module.type(method.response)
        type_ = f"{known('Method')}<{self._request(method)}, {response}>"
        yield f"        val {self.constants[method.name]}: {type_} ="
        yield f"            {known('Method')}("
        for argument in self._arguments(method):
            yield f"                {argument},"
        yield "            )"

    def _arguments(self, method: Method) -> Iterator[str]:
        known, indent = self._module.imports.known, 16
        binding = primary_binding(method)
        yield f"name = {string(f'{self.service.full_name}.{method.name}')}"
        yield f"verb = {string(binding.verb.upper())}"
        segments = [
            each if isinstance(each, str) else f"{{{quote(each.json_name, safe='')}}}"
            for each in binding.segments
        ]
        yield f"path = {string('/' + '/'.join(segments) + binding.suffix)}"
        yield f"request = {self._module.codec(method.request)}"
        yield f"response = {self._module.codec(method.response)}"
        yield f"timeout = {method.timeout * 1_000:_.0f}.{known('milliseconds')}"
        if binding.query:
            names = [string(field.json_name) for field in binding.query]
            yield bracketed("query = listOf(", names, ")", indent=indent)
        if binding.has_body:
            yield f"body = {string(binding.body.json_name if binding.body else '*')}"
        if method.idempotency is not IdempotencyLevel.UNKNOWN:
            yield "isRetriable = true"
        if method.idempotency_key:
            yield "takesKey = true"
        if method.errors:
            errors = [self._declared(error) for error in method.errors]
            yield bracketed("errors = mapOf(", errors, ")", indent=indent)
        role = self._session(method)
        if role:
            yield role
        if method.access.public:
            yield "isPublic = true"
        if method.events_resume is not None:
            yield "resumes = true"

    def _declared(self, error: Message) -> str:
        home = self._module.home(error.full_name)
        codec = self._module.imports.name(home.package, home.own_codec(error.full_name))
        make = f"{self.names.exception}::{self._errors[error.full_name]}"
        wire_name = error.full_name.rpartition(".")[2]
        declared = self._module.imports.known("DeclaredError")
        return bracketed(f"{string(wire_name)} to {declared}(", [codec, make], ")", indent=20)

    def _session(self, method: Method) -> str:
        role = session_role(method, self._types)
        known = self._module.imports.known
        if role is SessionRole.BEGINS:
            access, refresh, expires = (
                self._property(method.response.full_name, name)
                for name in ("access_token", "refresh_token", "expires_in")
            )
            grant = f"{known('Grant')}(it.{access}, it.{refresh}, it.{expires}.toLong())"
            return closure(f"session = {known('SessionRole')}.Begins", grant, indent=16)
        if role is SessionRole.ENDS:
            token = self._property(method.request.full_name, "refresh_token")
            return closure(f"session = {known('SessionRole')}.Ends", f"it.{token}", indent=16)
        return ""
