"""Finds the methods that answer with a page of a list, so that clients can go through all pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.model import Kind, Message, Presence, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codegen.contract.model import Enum, Field, Method

__all__ = ["page_items"]


def page_items(method: Method, types: Mapping[str, Message | Enum]) -> Field | None:
    """The field of the items, when a method answers with a page of a list.

    Source: https://google.aip.dev/158.
    """
    request, response = types[method.request.full_name], types[method.response.full_name]
    if method.kind is not Kind.UNARY:
        return None
    assert isinstance(request, Message)
    assert isinstance(response, Message)
    repeated = [field for field in response.fields if field.repeated]
    asks = _is_text(request.fields, "page_token")
    tells = _is_text(response.fields, "next_page_token")
    return repeated[0] if asks and tells and len(repeated) == 1 else None


def _is_text(fields: Sequence[Field], name: str) -> bool:
    return any(
        field.name == name
        and field.type is Scalar.STRING
        and field.is_single
        and field.presence is Presence.ALWAYS
        for field in fields
    )
