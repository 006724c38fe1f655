"""Finds out what methods do to the session of a client, by the shape of what they take and give.

A message that has what RFC 6749 calls an access token, its life and a refresh token begins a
session. A method that gives such a message for a refresh token keeps the session going; one that
takes a refresh token and gives none ends it.

Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.1.
"""

from __future__ import annotations

from enum import Enum as PythonEnum
from typing import TYPE_CHECKING

from codegen.contract.model import Kind, Message, Presence, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codegen.contract.model import Enum, Method

__all__ = ["SessionRole", "refreshes", "session_role"]

_INTEGERS = frozenset({"int32", "uint32"})


class SessionRole(PythonEnum):
    """What a method does to the session; the value is what the run-time calls it."""

    BEGINS = "begins"
    ENDS = "ends"


def session_role(method: Method, types: Mapping[str, Message | Enum]) -> SessionRole | None:
    """What a method does to the session; None when it does nothing to it."""
    if method.kind is not Kind.UNARY:
        return None
    if _is_grant(types[method.response.full_name]):
        return SessionRole.BEGINS
    return SessionRole.ENDS if _takes_refresh_token(method, types) else None


def refreshes(method: Method, types: Mapping[str, Message | Enum]) -> bool:
    """Whether a method gives new tokens for a refresh token, whoever asks."""
    begins = session_role(method, types) is SessionRole.BEGINS
    return begins and method.access.public and _takes_refresh_token(method, types)


def _takes_refresh_token(method: Method, types: Mapping[str, Message | Enum]) -> bool:
    request = types[method.request.full_name]
    assert isinstance(request, Message)
    return [field.name for field in request.all_fields] == ["refresh_token"]


def _is_grant(message: Message | Enum) -> bool:
    if not isinstance(message, Message):
        return False
    kinds = {
        field.name: field.type.json_kind
        for field in message.fields
        if isinstance(field.type, Scalar)
        and field.is_single
        and field.presence is not Presence.OPTIONAL
    }
    return (
        kinds.get("access_token") == kinds.get("refresh_token") == "string"
        and kinds.get("expires_in") in _INTEGERS
    )
