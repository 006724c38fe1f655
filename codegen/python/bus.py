"""protoc-gen-bus: writes what a contract's services are on the message bus.

For a contract with services whose records module is `M` it writes `M_bus`: for each service a
protocol that handlers satisfy, constants that describe its methods, a stub and a binding. Run it as
`python -m codegen.python.bus`, by way of protoc or buf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.comments import first_sentence
from codegen.plugin import Output, run
from codegen.python.docstrings import Section, docstring, lower_first
from codegen.python.source import Imports, module_source, python_file, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.contract.model import ContractFile, Message, Method, Service, TypeRef

__all__ = ["generate"]

# Variables and parameters of the functions in the module.
_VARIABLES = ("channel", "handler", "metadata", "request", "requests", "self", "timeout")


def generate(file: ContractFile) -> Iterator[Output]:
    """The modules of one contract; none when it has no services."""
    if file.services:
        yield python_file(f"{file.module}_bus", bus_module(file))


def bus_module(file: ContractFile) -> str:
    """The module that describes the services of a contract."""
    exports = [name for service in file.services for name in _defined(service)]
    methods = [method.attribute for service in file.services for method in service.methods]
    writer = _Writer(Imports(f"{file.module}_bus", [*exports, *methods, *_VARIABLES]))
    body = [part for service in file.services for part in writer.service(service)]
    summary = f"Services of the contract `{file.path}`."
    return module_source(file, summary, writer.imports, exports, body)


def method_constant(service: Service, method: Method) -> str:
    """The name of the constant that describes a method."""
    return names.method_constant(service.name, method.name)


def raises(method: Method, imports: Imports) -> list[Section]:
    """The section of a docstring that says which errors a method declares."""
    found = [
        (
            imports.name(error.module, names.exception_class(error.name)),
            lower_first(first_sentence(error.comment)),
        )
        for error in method.errors
    ]
    return [("Raises", found)] if found else []


def _defined(service: Service) -> Iterator[str]:
    yield names.handler_class(service.name)
    yield names.stub_class(service.name)
    yield names.service_constant(service.name)
    yield names.register_function(service.name)
    yield from (method_constant(service, method) for method in service.methods)


class _Writer:
    """Writes the services of one contract."""

    def __init__(self, imports: Imports) -> None:
        self.imports = imports

    def _bus(self, name: str) -> str:
        return self.imports.name("seam.bus", name)

    def _contract(self, name: str) -> str:
        return self.imports.name("seam.contract", name)

    def service(self, service: Service) -> Iterator[str]:
        yield self._handler(service)
        yield from (self._method_constant(service, method) for method in service.methods)
        final = self.imports.name("typing", "Final")
        listed = ", ".join(method_constant(service, method) for method in service.methods)
        comma = "," if service.methods else ""
        yield (
            f"{names.service_constant(service.name)}: {final} = "
            f"{self._contract('ServiceDescriptor')}("
            f"name={string(service.full_name)}, methods=({listed}{comma}),)"
        )
        yield self._stub(service)
        yield self._register(service)

    def _handler(self, service: Service) -> str:
        protocol = self.imports.name("typing", "Protocol")
        text = service.comment or f"The service `{service.full_name}`."
        name = names.handler_class(service.name)
        rows = [f"class {name}({protocol}):", "    " + docstring(text, 4)]
        for method in service.methods:
            rows += [
                "",
                f"    def {self._signature(method)}:",
                "        " + self._documented(method, "Answer"),
                "        ...",
            ]
        return "\n".join(rows)

    def _signature(self, method: Method) -> str:
        response = self.imports.type(method.response)
        form = "AsyncIterator" if method.kind.server_streaming else "Awaitable"
        result = f"{self.imports.name('collections.abc', form)}[{response}]"
        request = self._request(method, "AsyncIterator")
        return f"{method.attribute}(self, {request}, /) -> {result}"

    def _stub_signature(self, method: Method) -> str:
        response = self.imports.type(method.response)
        if method.kind.server_streaming:
            result = f"{self._bus('ResponseStream')}[{response}]"
        else:
            # Not any awaitable, so that a call can be made a task.
            coroutine = self.imports.name("collections.abc", "Coroutine")
            any_ = self.imports.name("typing", "Any")
            result = f"{coroutine}[{any_}, {any_}, {response}]"
        metadata = self.imports.name("seam.call", "Metadata")
        options = f"timeout: float | None = None, metadata: {metadata} | None = None"
        request = self._request(method, "AsyncIterable")
        return f"{method.attribute}(self, {request}, /, *, {options}) -> {result}"

    def _request(self, method: Method, stream: str) -> str:
        request = self.imports.type(method.request)
        if not method.kind.client_streaming:
            return f"request: {request}"
        return f"requests: {self.imports.name('collections.abc', stream)}[{request}]"

    def _documented(self, method: Method, verb: str) -> str:
        text = method.comment or f"{verb} `{method.name}`."
        return docstring(text, 8, raises(method, self.imports))

    def _method_constant(self, service: Service, method: Method) -> str:
        final = self.imports.name("typing", "Final")
        errors = "".join(f"{self._error(error)}, " for error in method.errors)
        return (
            f"{method_constant(service, method)}: {final} = {self._contract('MethodDescriptor')}("
            f"service={string(service.full_name)}, "
            f"name={string(method.name)}, "
            f"kind={self._contract('Kind')}.{method.kind.name}, "
            f"request={self._codec(method.request)}, "
            f"response={self._codec(method.response)}, "
            f"timeout={method.timeout!r}, "
            f"idempotency_level={self._contract('IdempotencyLevel')}.{method.idempotency.value}, "
            f"errors=({errors}), "
            f"access={self._access(method)},)"
        )

    def _access(self, method: Method) -> str:
        access = method.access
        (said,) = access.said
        names = access.roles or access.callers
        value = f"frozenset({{{', '.join(string(name) for name in names)}}})" if names else "True"
        return f"{self._contract('Access')}({said}={value})"

    def _codec(self, type_: TypeRef | Message) -> str:
        wire = self.imports.module(names.wire_module(type_.module))
        return f"{wire}.{names.codec_constant(type_.name)}"

    def _error(self, error: Message) -> str:
        exception = self.imports.name(error.module, names.exception_class(error.name))
        return f"{self._contract('ErrorDescriptor')}({exception}, {self._codec(error)})"

    def _stub(self, service: Service) -> str:
        channel = self._bus("Channel")
        text = (
            f"A caller of `{service.full_name}`, wherever it runs.\n\n"
            "`timeout` is in seconds; without one, the contract's holds. A call never takes longer"
            " than what is left of the call that it is part of. `metadata` is sent with the call,"
            " and holds at its end what the callee sent."
        )
        rows = [
            f"class {names.stub_class(service.name)}:",
            "    " + docstring(text, 4),
            "",
            f"    def __init__(self, channel: {channel}) -> None:",
            "        " + docstring("Make a stub that calls through a channel.", 8),
        ]
        for method in service.methods:
            constant = method_constant(service, method)
            calls = f"channel.{method.kind.value}({constant})"
            rows.append(f"        self._{method.attribute} = {calls}")
        for method in service.methods:
            argument = "requests" if method.kind.client_streaming else "request"
            rows += [
                "",
                f"    def {self._stub_signature(method)}:",
                "        " + self._documented(method, "Call"),
                f"        return self._{method.attribute}({argument}, timeout, metadata)",
            ]
        return "\n".join(rows)

    def _register(self, service: Service) -> str:
        contract = names.service_constant(service.name)
        registration = self._bus("Registration")
        function = names.register_function(service.name)
        handler = names.handler_class(service.name)
        entries = "".join(
            f"{method_constant(service, method)}.name: handler.{method.attribute},"
            for method in service.methods
        )
        return "\n".join(
            [
                f"def {function}(handler: {handler}) -> {registration}:",
                "    " + docstring(f"Have a handler answer `{service.full_name}`.", 4),
                f"    return {registration}({contract}, {{{entries}}})",
            ]
        )


if __name__ == "__main__":
    run(generate)
