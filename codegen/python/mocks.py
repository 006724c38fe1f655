"""protoc-gen-mocks: writes in-process mocks of a contract's services, for tests.

For a contract with services whose records module is `M` it writes `M_mock`. Run it as
`python -m codegen.python.mocks`, by way of protoc or buf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import Kind
from codegen.plugin import Output, run
from codegen.python.bus import method_constant
from codegen.python.docstrings import docstring
from codegen.python.source import Imports, module_source, python_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.contract.model import ContractFile, Service

__all__ = ["generate"]

_MOCKS = {
    Kind.UNARY: "MockMethod",
    Kind.SERVER_STREAMING: "MockServerStreaming",
    Kind.CLIENT_STREAMING: "MockClientStreaming",
    Kind.BIDIRECTIONAL: "MockBidirectional",
}


def generate(file: ContractFile) -> Iterator[Output]:
    """The modules of one contract; none when it has no services."""
    if file.services:
        yield python_file(f"{file.module}_mock", mock_module(file))


def mock_module(file: ContractFile) -> str:
    """The module that holds a mock of each service."""
    exports = [names.mock_class(service.name) for service in file.services]
    imports = Imports(f"{file.module}_mock", exports)
    body = [_mock(file, service, imports) for service in file.services]
    return module_source(file, f"Mocks of the services of `{file.path}`.", imports, exports, body)


def _mock(file: ContractFile, service: Service, imports: Imports) -> str:
    bus = f"{file.module}_bus"
    stub = imports.name(bus, names.stub_class(service.name))
    register = imports.name(bus, names.register_function(service.name))
    channel = imports.name("seam.testing", "strict_channel")
    text = (
        f"A replacement of `{service.full_name}` in tests.\n\n"
        "Say what its methods answer, call it, and look at what it was asked. It satisfies"
        f" `{names.handler_class(service.name)}`."
    )
    rows = [
        f"class {names.mock_class(service.name)}:",
        "    " + docstring(text, 4),
        "",
        "    def __init__(self) -> None:",
        "        " + docstring("Make a mock whose methods do not know their answers yet.", 8),
    ]
    for method in service.methods:
        constant = imports.name(bus, method_constant(service, method))
        mock = imports.name("seam.testing", _MOCKS[method.kind])
        rows.append(f"        self.{method.attribute} = {mock}({constant})")
    name = names.mock_stub_method([method.attribute for method in service.methods])
    rows += [
        "",
        f"    def {name}(self) -> {stub}:",
        "        "
        + docstring("Make a stub that calls the mock through the strict in-process channel.", 8),
        f"        return {stub}({channel}({register}(self)))",
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    run(generate)
