"""How clients call things, in any language that writes names in camel case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from codegen.contract.model import Service

__all__ = ["client_name", "lower_camel", "lower_first", "parts"]

_UNDERSCORE: Final = re.compile(r"_+(.)?")
_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def client_name(service: Service) -> str:
    """What a client calls a service: `ShoppingCartApi` is `ShoppingCart`."""
    for suffix in ("Api", "Service"):
        if service.name.endswith(suffix) and service.name != suffix:
            return service.name.removesuffix(suffix)
    return service.name


def lower_camel(name: str) -> str:
    """`card_number` as `cardNumber`, as protoc makes the names of JSON."""
    return _UNDERSCORE.sub(lambda match: (match[1] or "").upper(), name)


def lower_first(name: str) -> str:
    """`GetItem` as `getItem`, `HTTPRule` as `httpRule`."""
    first = _WORD.match(name)
    end = first.end() if first else 1
    return name[:end].lower() + name[end:]


def parts(path: str) -> tuple[str, ...]:
    """The parts of a contract's path without its suffix: `library`, `v1`, `api`."""
    return tuple(path.removesuffix(".proto").split("/"))
