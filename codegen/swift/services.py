"""Writes clients: a struct with the methods of a service, and how these are bound to HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from codegen.client.names import client_name
from codegen.client.paging import page_items
from codegen.client.roles import client_methods, primary_binding
from codegen.client.session import session_role
from codegen.contract.comments import first_sentence
from codegen.contract.model import IdempotencyLevel, Kind, Message
from codegen.swift.messages import needs_something
from codegen.swift.names import NameAllocator, escaped, member_name, method_name, string
from codegen.swift.source import bracketed, documentation, indented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.client.roles import Roles
    from codegen.contract.model import ContractFile, Field, Method, Service
    from codegen.swift.namespaces import Namespace, Namespaces

__all__ = ["ServiceWriter"]


class ServiceWriter:
    """Writes what one service is to clients.

    Args:
        service: the service.
        file: its contract.
        namespaces: what types are called.
        inside: the namespace that it goes into.
        roles: what clients do with messages.
        product: what the client is called.
    """

    def __init__(
        self,
        service: Service,
        file: ContractFile,
        *,
        namespaces: Namespaces,
        inside: Namespace,
        roles: Roles,
        product: str,
    ) -> None:
        self.service = service
        self.types = file.types
        self.methods = tuple(client_methods(service))
        self.inside = inside
        self._namespaces = namespaces
        self._roles = roles
        self._product = product
        name = client_name(service)
        self.client = inside.names.take(f"{name}Client")
        self.descriptors = inside.names.take(f"{name}Methods")
        names = NameAllocator({"connection"})
        self.names = {each.name: names.take(method_name(each.name)) for each in self.methods}
        self._pages = {
            each.name: (
                names.take(f"{self.names[each.name]}Pages"),
                names.take(f"{self.names[each.name]}All"),
            )
            for each in self.methods
        }

    def written(self) -> Iterator[list[str]]:
        """The client, and the descriptions of its methods."""
        rows = [
            *documentation(self.service.comment, outside=4),
            f"public struct {self.client}: Sendable {{",
            "    let connection: Connection",
        ]
        for method in self.methods:
            for block in self._functions(method):
                rows += ["", *indented(block)]
        yield [*rows, "}"]
        yield self._descriptions()

    def descriptor(self, method: Method) -> str:
        """What describes a method, outside of its namespace."""
        return f"{self.inside.name}.{self.descriptors}.{escaped(self.names[method.name])}"

    def _functions(self, method: Method) -> Iterator[list[str]]:
        if method.kind is Kind.SERVER_STREAMING:
            yield self._stream(method)
        elif method.kind is Kind.BIDIRECTIONAL:
            yield self._conversation(method)
        else:
            yield self._unary(method)
            items = page_items(method, self.types)
            if items is not None:
                yield self._paged(method)
                yield self._all(method, items)

    def _unary(self, method: Method) -> list[str]:
        # What a call has done is often all that is wanted of it.
        is_done = primary_binding(method).verb != "get"
        response = self._namespaces.reference(method.response, self.inside)
        result = f"async throws({self._product}Error) -> {response}"
        return [
            *self._documentation(method),
            *(["@discardableResult"] if is_done else []),
            *self._head(self.names[method.name], method, result),
            f"    try await connection.call({self._described(method)}, request, options)",
            "}",
        ]

    def _paged(self, method: Method) -> list[str]:
        response = self._namespaces.reference(method.response, self.inside)
        token = member_name("page_token")
        name = escaped(self.names[method.name])
        return [
            f"/// The pages that ``{self.names[method.name]}(_:options:)`` gives, one by one.",
            *self._head(self._pages[method.name][0], method, f"-> Pages<{response}>"),
            "    let client = self",
            "    return Pages(",
            "        ask: { token in",
            "            var next = request",
            f"            next.{token} = token ?? request.{token}",
            f"            return try await client.{name}(next, options: options)",
            "        },",
            f"        nextToken: {{ page in page.{member_name('next_page_token')} }})",
            "}",
        ]

    def _all(self, method: Method, items: Field) -> list[str]:
        response = self._namespaces.reference(method.response, self.inside)
        item = self._namespaces.single(items.type, self.inside)
        pages = escaped(self._pages[method.name][0])
        return [
            f"/// What the pages of ``{self.names[method.name]}(_:options:)`` hold, one by one.",
            *self._head(self._pages[method.name][1], method, f"-> Items<{response}, {item}>"),
            "    Items(",
            f"        pages: {pages}(request, options: options),",
            f"        items: {{ page in page.{member_name(items.name)} }})",
            "}",
        ]

    def _stream(self, method: Method) -> list[str]:
        response = self._namespaces.reference(method.response, self.inside)
        return [
            *self._documentation(method),
            *self._head(self.names[method.name], method, f"-> Responses<{response}>"),
            f"    Responses(connection, {self._described(method)}, request, options)",
            "}",
        ]

    def _conversation(self, method: Method) -> list[str]:
        request = self._namespaces.reference(method.request, self.inside)
        response = self._namespaces.reference(method.response, self.inside)
        result = f"async throws({self._product}Error) -> Conversation<{request}, {response}>"
        return [
            *self._documentation(method),
            *self._head(self.names[method.name], method, result),
            f"    try await connection.converse({self._described(method)}, request, options)",
            "}",
        ]

    def _head(self, name: str, method: Method, result: str) -> list[str]:
        request = self._namespaces.reference(method.request, self.inside)
        message = self.types[method.request.full_name]
        assert isinstance(message, Message)
        bound = self._roles.path_fields.get(message.full_name, frozenset())
        default = "" if needs_something(message, bound) else f" = {request}()"
        parameters = [
            f"_ request: {request}{default}",
            "options: CallOptions = CallOptions()",
        ]
        return bracketed(f"public func {escaped(name)}(", parameters, f") {result} {{", outside=8)

    def _documentation(self, method: Method) -> list[str]:
        notes: list[str] = []
        if method.errors:
            notes.append(f"- Throws: ``{self._product}Error``, whose `declared` may be")
            for error in method.errors:
                name = self._namespaces.own(error.full_name)
                notes.append(f"  - ``{name}``: {first_sentence(error.comment)}".rstrip(": "))
        return documentation(method.comment, 0, notes, outside=8)

    def _described(self, method: Method) -> str:
        return f"{self.descriptors}.{escaped(self.names[method.name])}"

    def _descriptions(self) -> list[str]:
        rows = [
            f"/// How the methods of `{self.service.full_name}` are bound to HTTP.",
            f"enum {self.descriptors} {{",
        ]
        for at, method in enumerate(self.methods):
            rows += [""] if at else []
            rows.append(f"    static let {escaped(self.names[method.name])} = MethodDescriptor(")
            arguments = list(self._arguments(method))
            for last, argument in enumerate(arguments, 1 - len(arguments)):
                *lines, end = argument
                rows += indented([*lines, f"{end},"] if last else argument, 8)
            rows.append("    )")
        return [*rows, "}"]

    def _arguments(self, method: Method) -> Iterator[list[str]]:
        """The arguments of a description, each as lines."""
        binding = primary_binding(method)
        yield [f"name: {string(f'{self.service.full_name}.{method.name}')}"]
        yield [f"verb: {string(binding.verb.upper())}"]
        segments = [
            each if isinstance(each, str) else f"{{{quote(each.json_name, safe='')}}}"
            for each in binding.segments
        ]
        path = f"/{'/'.join(segments)}{binding.suffix}"
        yield [f"path: {string(path)}"]
        if binding.query:
            names = [string(field.json_name) for field in binding.query]
            yield bracketed("query: [", names, "]", outside=13)
        if binding.has_body:
            held = f".field({string(binding.body.json_name)})" if binding.body else ".rest"
            yield [f"body: {held}"]
        yield [f"timeout: .milliseconds({method.timeout * 1_000:_.0f})"]
        if method.idempotency is not IdempotencyLevel.UNKNOWN:
            yield ["isRepeatable: true"]
        if method.idempotency_key:
            yield ["takesKey: true"]
        if method.errors:
            errors = [
                f"{string(error.full_name.rpartition('.')[2])}: {self._error(error)}.self"
                for error in method.errors
            ]
            yield bracketed("errors: [", errors, "]", outside=13)
        role = session_role(method, self.types)
        if role is not None:
            yield [f"session: .{role.value}"]
        if method.access.public:
            yield ["isPublic: true"]
        if method.events_resume is not None:
            yield ["resumes: true"]

    def _error(self, error: Message) -> str:
        home = self._namespaces.of(error.full_name)
        name = self._namespaces.own(error.full_name)
        return name if home is self.inside else f"{home.name}.{name}"
