"""How the parts of an Envoy are named: each is a message of a type, in a mapping.

Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/extension.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Yaml: TypeAlias = dict[str, Any]
"""What becomes a mapping in a document."""

_EXTENSIONS: Final = "type.googleapis.com/envoy.extensions"


def message(type_name: str, **fields: object) -> Yaml:
    """A message of one of Envoy's extensions.

    Args:
        type_name: its type below `envoy.extensions`.
        fields: what it says.
    """
    return {"@type": f"{_EXTENSIONS}.{type_name}", **fields}


def http_filter(name: str, type_name: str, **fields: object) -> Yaml:
    """A filter of requests and answers.

    Args:
        name: its name below `envoy.filters.http`.
        type_name: the type of what it is told, below `envoy.extensions.filters.http`.
        fields: what it is told.
    """
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": message(f"filters.http.{type_name}", **fields),
    }


def percent(number: int) -> Yaml:
    """A part of all requests, which cannot be changed while Envoy runs."""
    return {"default_value": {"numerator": number, "denominator": "HUNDRED"}}
