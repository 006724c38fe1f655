"""Writes clients: an interface with a member for each method, and what makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from codegen.client.names import client_name, lower_first
from codegen.client.paging import page_items
from codegen.client.roles import client_methods, primary_binding
from codegen.client.session import session_role
from codegen.contract.comments import first_sentence
from codegen.contract.model import IdempotencyLevel, Kind, Message, Presence
from codegen.typescript.names import member_key, string
from codegen.typescript.source import bracketed, documentation, union
from codegen.typescript.types import single_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.contract.model import ContractFile, Enum, Method, Service
    from codegen.typescript.module import Module

__all__ = ["ClientNames", "ServiceWriter"]

_SUPPLIED_BY = {
    Kind.UNARY: ("Unary", "unary"),
    Kind.SERVER_STREAMING: ("ServerStream", "serverStream"),
    Kind.BIDIRECTIONAL: ("BidirectionalStream", "bidirectional"),
}


@dataclass(frozen=True)
class ClientNames:
    """What a service's client is called in its module.

    Attributes:
        interface: the type.
        factory: what makes it.
        methods: the constant that describes a method, by the method's name.
    """

    interface: str
    factory: str
    methods: Mapping[str, str]


class ServiceWriter:
    """Writes what one service is to clients.

    Args:
        service: the service.
        file: its contract.
        module: the module that it goes into.
    """

    def __init__(self, service: Service, file: ContractFile, module: Module) -> None:
        self.service = service
        self._types: Mapping[str, Message | Enum] = file.types
        self._module = module
        self.methods = tuple(client_methods(service))
        name = client_name(service)
        self._errors = {
            method.name: module.names.take(f"{method.name}Error")
            for method in self.methods
            if method.errors
        }
        self.names = ClientNames(
            interface=module.names.take(f"{name}Client"),
            factory=module.names.take(f"{lower_first(name)}Client"),
            methods={
                method.name: module.names.take(f"{lower_first(method.name)}Method")
                for method in self.methods
            },
        )

    def interface(self) -> str:
        """The interface of the client."""
        rows = [
            *documentation(self.service.comment),
            f"export interface {self.names.interface} {{",
        ]
        for at, method in enumerate(self.methods):
            errors = [
                f"- `{error.name}`: {first_sentence(error.comment)}".rstrip(": ")
                for error in method.errors
            ]
            notes = ["It may be refused with", *errors] if errors else []
            rows += [""] if at else []
            rows += documentation(method.comment, 2, notes)
            key = f"readonly {member_key(lower_first(method.name))}: {self._kind(method)}<"
            rows.append("  " + bracketed(key, self._arguments(method), ">;", indent=2, comma=""))
        return "\n".join([*rows, "}"])

    def errors(self) -> Iterator[str]:
        """What each method may be refused with."""
        for method in self.methods:
            if method.errors:
                declared = self._module.imports.runtime("DeclaredError")
                # Where a WebSocket is closed there is no room for the fields.
                is_told = method.kind is not Kind.BIDIRECTIONAL
                members = [
                    f"{declared}<{string(_wire_name(error))}, "
                    f"{self._error_type(error) if is_told else 'undefined'}>"
                    for error in method.errors
                ]
                text = f"What `{lower_first(method.name)}` may be refused with."
                head = f"export type {self._errors[method.name]} ="
                yield "\n".join([*documentation(text), union(head, members)])

    def schemas(self) -> Iterator[str]:
        """How each method is bound to HTTP."""
        for method in self.methods:
            type_ = self._module.imports.runtime("MethodType")
            response = self._module.type(method.response, sent=False)
            name = self.names.methods[method.name]
            rows = [f"export const {name}: {type_}<{response}> = {{"]
            rows += [f"  {each}," for each in self._properties(method)]
            yield "\n".join([*rows, "};"])

    def factory(self) -> str:
        """What makes the client."""
        connection = self._module.imports.runtime("Connection")
        names = self.names
        rows = [
            f"/** Make a client of `{self.service.full_name}`. */",
            f"export function {names.factory}(connection: {connection}): {names.interface} {{",
            "  return {",
        ]
        for method in self.methods:
            supplier = "paged" if page_items(method, self._types) else _SUPPLIED_BY[method.kind][1]
            call = f"{self._module.imports.runtime(supplier)}("
            arguments = ["connection", names.methods[method.name]]
            items = page_items(method, self._types)
            if items is not None:
                arguments.append(string(items.json_name))
            head = f"{member_key(lower_first(method.name))}: {call}"
            rows.append("    " + bracketed(head, arguments, "),", indent=4))
        return "\n".join([*rows, "  };", "}"])

    def _kind(self, method: Method) -> str:
        if page_items(method, self._types) is not None:
            return self._module.imports.runtime("Paged")
        return self._module.imports.runtime(_SUPPLIED_BY[method.kind][0])

    def _arguments(self, method: Method) -> list[str]:
        request = self._module.type(method.request, sent=True)
        response = self._module.type(method.response, sent=False)
        # Whoever need not say anything need not write `{}`.
        optional = "" if self._needs_something(method) else " | void"
        arguments = [f"{request}{optional}"]
        if method.kind is Kind.BIDIRECTIONAL:
            bound = [string(each.json_name) for each in primary_binding(method).path_fields]
            arguments.append(f"Omit<{request}, {' | '.join(bound)}>" if bound else request)
        arguments.append(response)
        items = page_items(method, self._types)
        if items is not None:
            arguments.append(single_type(items.type, self._module))
        arguments.append(self._errors.get(method.name, "never"))
        return arguments

    def _needs_something(self, method: Method) -> bool:
        request = self._types[method.request.full_name]
        assert isinstance(request, Message)
        required = any(field.presence is Presence.REQUIRED for field in request.fields)
        return required or bool(primary_binding(method).path_fields)

    def _error_type(self, error: Message) -> str:
        home = error.location.file
        name = self._module.home(error.full_name).own(error.full_name)
        return self._module.imports.name(home, name)

    def _properties(self, method: Method) -> Iterator[str]:
        binding = primary_binding(method)
        yield f"name: {string(f'{self.service.full_name}.{method.name}')}"
        yield f"verb: {string(binding.verb.upper())}"
        segments = [
            each if isinstance(each, str) else f"{{{quote(each.json_name, safe='')}}}"
            for each in binding.segments
        ]
        path = f"/{'/'.join(segments)}{binding.suffix}"
        yield f"path: {string(path)}"
        if binding.query:
            names = [string(field.json_name) for field in binding.query]
            yield bracketed("query: [", names, "]", indent=2)
        if binding.has_body:
            yield f"body: {string(binding.body.json_name if binding.body else '*')}"
        yield f"request: {self._module.schema(method.request)}"
        yield f"response: {self._module.schema(method.response)}"
        yield f"timeoutMs: {method.timeout * 1_000:_.0f}"
        if method.idempotency is not IdempotencyLevel.UNKNOWN:
            yield "retriable: true"
        if method.idempotency_key:
            yield "idempotencyKey: true"
        if method.errors:
            errors = [
                f"{member_key(_wire_name(error))}: {self._error_schema(error)}"
                for error in method.errors
            ]
            yield bracketed("errors: {", errors, "}", indent=2, spaced=True)
        role = session_role(method, self._types)
        if role is not None:
            yield f"session: {string(role.value)}"
        if method.access.public:
            yield "public: true"
        if method.events_resume is not None:
            yield "resumes: true"
        elif method.resume is not None:
            resume = method.resume
            names = [string(each.json_name) for each in (*resume.within, resume.response)]
            members = [
                f"request: {string(resume.request.json_name)}",
                bracketed("response: [", names, "]", indent=4),
            ]
            yield bracketed("position: {", members, "}", indent=2, spaced=True)

    def _error_schema(self, error: Message) -> str:
        name = self._module.home(error.full_name).own_schema(error.full_name)
        return self._module.imports.name(error.location.file, name, is_value=True)


def _wire_name(error: Message) -> str:
    """What a problem calls an error."""
    return error.full_name.rpartition(".")[2]
