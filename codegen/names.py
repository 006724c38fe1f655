"""How names in a contract become names in Python.

Every name that generated code has is made here, so that what writes a module, what writes another
that imports from it, and what refuses contracts in which two things would get one name agree.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection

__all__ = [
    "attribute_name",
    "camel",
    "case_class",
    "check_function",
    "codec_constant",
    "constant",
    "default_module",
    "enum_attribute",
    "event_constant",
    "exception_class",
    "fill_function",
    "from_json_function",
    "from_proto_function",
    "handler_class",
    "http_constant",
    "is_reserved",
    "json_module",
    "json_names_constant",
    "json_numbers_constant",
    "method_constant",
    "mock_class",
    "mock_stub_method",
    "numbers_constant",
    "oneof_alias",
    "operation_id",
    "publish_operation",
    "register_function",
    "route_function",
    "router_function",
    "service_constant",
    "snake",
    "stub_class",
    "to_json_function",
    "to_proto_function",
    "wire_module",
]

RUNTIME_RECORDS = "seam.contract"
"""The module of the records that are written by hand, because no contract of ours has them."""

_RUNTIME_CODECS = "seam.codec.wellknown_records"

# Types that annotations in records name. A field of the same name would hide them from the fields
# after it.
_ANNOTATION_NAMES = frozenset(
    {"bool", "bytes", "datetime", "float", "int", "str", "timedelta", "tuple"}
)

# Names that mean something else in an enum class: `name`, `value`, methods of int.
_ENUM_NAMES = frozenset({"name", "value", "is_known", "mro", *dir(builtins.int)})

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`BatchGetItems` as `batch_get_items`, `HTTPRule` as `http_rule`."""
    return _WORD_START.sub("_", name).lower()


def camel(name: str) -> str:
    """`card_number` as `CardNumber`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def constant(name: str) -> str:
    """`BatchGetItems` as `BATCH_GET_ITEMS`."""
    return snake(name).upper()


def is_reserved(name: str) -> bool:
    """Whether no class can have a name: keywords, builtins, and what protoc's stubs import.

    A builtin that a module defines anew is still the builtin to annotations above.
    """
    return keyword.iskeyword(name) or hasattr(builtins, name) or name == "datetime"


# Modules


def default_module(path: str) -> str:
    """The records module of a contract that no parameter moves.

    `inventory/v1/api.proto` becomes `inventory.v1.api`.
    """
    return path.removesuffix(".proto").replace("-", "_").replace("/", ".")


def wire_module(records: str) -> str:
    """The module that converts the records of another to Protocol Buffers and back."""
    return _RUNTIME_CODECS if records == RUNTIME_RECORDS else f"{records}_wire"


def json_module(records: str) -> str:
    """The module that converts the records of another to ProtoJSON and back."""
    return _RUNTIME_CODECS if records == RUNTIME_RECORDS else f"{records}_json"


# Records


def attribute_name(name: str, hidden: Collection[str] = ()) -> str:
    """A field's or method's name as an attribute, with `_` at the end when Python needs it.

    Args:
        name: the name in the contract.
        hidden: names of classes that annotations beside the attribute need.
    """
    taken = keyword.iskeyword(name) or name in _ANNOTATION_NAMES or name in hidden
    return f"{name}_" if taken else name


def enum_attribute(enum: str, value: str) -> str:
    """A value's name without the enum's name before it, as the style guides ask it to be written.

    Args:
        enum: the enum's own name, such as `Category`.
        value: the value's name, such as `CATEGORY_HOME`.

    Returns:
        `HOME`; the whole name where the rest would be no identifier, or Python's own.
    """
    stripped = value.removeprefix(f"{constant(enum)}_")
    is_usable = stripped.isidentifier() and not stripped.startswith("_")
    if is_usable and not keyword.iskeyword(stripped) and stripped not in _ENUM_NAMES:
        return stripped
    return f"{value}_" if value in _ENUM_NAMES else value


def exception_class(message: str) -> str:
    """The typed error of an error message."""
    return f"{message}Error"


def oneof_alias(message: str, oneof: str) -> str:
    """What a oneof can hold."""
    return message + camel(oneof)


def case_class(message: str, oneof: str, field: str) -> str:
    """The class that wraps the value of one case of a oneof."""
    return oneof_alias(message, oneof) + camel(field)


# Converters to Protocol Buffers


def codec_constant(message: str) -> str:
    """The codec of a message."""
    return constant(message)


def fill_function(message: str) -> str:
    """What copies a record into a message."""
    return f"{snake(message)}_fill"


def to_proto_function(message: str) -> str:
    """What makes a message of a record."""
    return f"{snake(message)}_to_proto"


def from_proto_function(message: str) -> str:
    """What makes a record of a message."""
    return f"{snake(message)}_from_proto"


def check_function(message: str) -> str:
    """What checks a record against the rules of its message."""
    return f"{snake(message)}_check"


def numbers_constant(enum: str) -> str:
    """The members of an enum by number."""
    return f"{constant(enum)}_NUMBERS"


# Converters to ProtoJSON


def to_json_function(type_: str) -> str:
    """What writes a record or an enum's value."""
    return f"{snake(type_)}_to_json"


def from_json_function(type_: str) -> str:
    """What reads a record or an enum's value."""
    return f"{snake(type_)}_from_json"


def json_names_constant(enum: str) -> str:
    """The names of an enum's values by number."""
    return f"_{constant(enum)}_NAMES"


def json_numbers_constant(enum: str) -> str:
    """The numbers of an enum's values by name."""
    return f"_{constant(enum)}_NUMBERS"


# The message bus


def handler_class(service: str) -> str:
    """The protocol that handlers satisfy."""
    return f"{service}Handler"


def stub_class(service: str) -> str:
    """What calls a service."""
    return f"{service}Stub"


def service_constant(service: str) -> str:
    """What describes a service."""
    return constant(service)


def method_constant(service: str, method: str) -> str:
    """What describes a method."""
    return f"{constant(service)}_{constant(method)}"


def register_function(service: str) -> str:
    """What has a handler answer a service."""
    return f"register_{snake(service)}"


def mock_class(service: str) -> str:
    """The mock of a service."""
    return f"{service}Mock"


def mock_stub_method(methods: Collection[str]) -> str:
    """The method of a mock that gives a stub, which the service's own methods may be called as.

    Args:
        methods: the attributes of the service's methods.
    """
    name = "stub"
    while name in methods:
        name += "_"
    return name


# HTTP


def http_constant(service: str) -> str:
    """The HTTP API of a service."""
    return f"{constant(service)}_HTTP"


def router_function(service: str) -> str:
    """What makes the routes of a service."""
    return f"{snake(service)}_router"


def route_function(method: str, at: int) -> str:
    """What answers one route.

    Args:
        method: the method's attribute.
        at: which of the method's bindings it is, from 1.
    """
    # The handler that routes call is `api`.
    name = f"{method}_" if method == "api" or hasattr(builtins, method) else method
    return name if at == 1 else f"{name}_{at}"


def operation_id(service: str, method: str, at: int) -> str:
    """What the OpenAPI document calls one route.

    Args:
        service: the service's name.
        method: the method's name.
        at: which of the method's bindings it is, from 1.
    """
    return f"{service}_{method}" if at == 1 else f"{service}_{method}_{at}"


# Events


def event_constant(message: str) -> str:
    """What describes an event."""
    return constant(message)


def publish_operation(event: str) -> str:
    """What the AsyncAPI document calls the publishing of an event.

    Args:
        event: the event's full name.
    """
    return f"publish.{event}"
