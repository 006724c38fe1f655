"""protoc-gen-events: writes what a contract's events are to those who publish and subscribe.

For a contract with events whose records module is `M` it writes `M_events`, a constant that
describes each event, and `M_asyncapi`, their AsyncAPI document. Run it as
`python -m codegen.python.events`, by way of protoc or buf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.plugin import Output, run
from codegen.python.asyncapi import asyncapi_module
from codegen.python.docstrings import docstring
from codegen.python.source import Imports, module_source, python_file, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.contract.model import ContractFile, Message

__all__ = ["generate"]

_LOADER = "_asyncapi"


def generate(file: ContractFile) -> Iterator[Output]:
    """The modules of one contract; none when it has no events."""
    if file.events:
        yield python_file(f"{file.module}_events", events_module(file))
        yield python_file(f"{file.module}_asyncapi", asyncapi_module(file))


def events_module(file: ContractFile) -> str:
    """The module that describes the events of a contract."""
    exports = [names.event_constant(event.name) for event in file.events]
    imports = Imports(f"{file.module}_events", [*exports, _LOADER, "event"])
    body = [_loader(file, imports), *(_constant(event, imports) for event in file.events)]
    summary = f"Events of the contract `{file.path}`."
    return module_source(file, summary, imports, exports, body)


def _loader(file: ContractFile, imports: Imports) -> str:
    mapping = imports.name("collections.abc", "Mapping")
    anything = imports.name("typing", "Any")
    package, _, name = file.module.rpartition(".")
    origin = f"from {package} import" if package else "import"
    return "\n".join(
        [
            f"def {_LOADER}() -> {mapping}[str, {anything}]:",
            "    " + docstring("Load the document, which only the publisher's process needs.", 4),
            f"    {origin} {name}_asyncapi",
            "",
            f"    return {name}_asyncapi.DOCUMENT",
        ]
    )


def _constant(event: Message, imports: Imports) -> str:
    assert event.event is not None
    final = imports.name("typing", "Final")
    descriptor = imports.name("seam.contract", "EventDescriptor")
    wire = imports.module(names.wire_module(event.module))
    listed = ", ".join(string(name) for name in event.event.subscribers)
    subscribers = f"{{{listed}}}" if listed else ""
    text = event.comment or f"The event `{event.full_name}`."
    return "\n".join(
        [
            f"{names.event_constant(event.name)}: {final} = {descriptor}("
            f"type={string(event.full_name)}, "
            f"codec={wire}.{names.codec_constant(event.name)}, "
            f"key=lambda event: event.{event.event.key.attribute}, "
            f"subscribers=frozenset({subscribers}), "
            f"asyncapi={_LOADER},)",
            docstring(text),
        ]
    )


if __name__ == "__main__":
    run(generate)
