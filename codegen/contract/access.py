"""Reads who may call a method: `access` of `option (contract.v1.method)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codegen.contract.model import Access, Location, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.message import Message as ProtoMessage

__all__ = ["AccessReader", "misspelled"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_NOBODY = Access()


class AccessReader:
    """Reads who may call the methods of one file.

    Args:
        problems: collects what is wrong.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def read(
        self,
        spec: ProtoMessage | None,
        method: str,
        place: Location,
        *,
        is_client_facing: bool,
    ) -> Access:
        """Who may call a method.

        Args:
            spec: the method's `MethodOptions` of contract.v1; None when it has none.
            method: the method's name.
            place: where the option stands, or the method when it has none.
            is_client_facing: whether clients reach the method: its file is `api.proto`, or it is
                bound to HTTP.
        """
        found = getattr(spec, "access", None)
        access = Access(
            public=bool(getattr(found, "public", False)),
            signed_in=bool(getattr(found, "signed_in", False)),
            roles=tuple(getattr(found, "roles", ())),
            callers=tuple(getattr(found, "callers", ())),
        )
        said = access.said
        reasons: list[str] = []
        if not said:
            reasons.append(
                "access is missing; say who may call it, by one of public, signed_in, roles and"
                " callers in option (contract.v1.method)"
            )
        elif len(said) > 1:
            reasons.append(f"access has {' and '.join(said)}; expected exactly one of them")
        reasons += [f"access: {reason}" for reason in misspelled("roles", access.roles)]
        reasons += [f"access: {reason}" for reason in misspelled("callers", access.callers)]
        if access.callers and is_client_facing:
            reasons.append(
                "access names callers, which are services, and clients reach the method; declare it"
                " in messagebus.proto, or say public, signed_in or roles"
            )
        self._problems += [Problem(place, f"{method}: {reason}") for reason in reasons]
        return _NOBODY if reasons else access


def misspelled(option: str, names: Sequence[str]) -> Iterable[str]:
    """What is wrong with a list of roles or services.

    Args:
        option: the field of the option that lists them.
        names: what it lists.
    """
    for at, name in enumerate(names):
        if not _NAME.fullmatch(name):
            # Not `\w`, nor a capital: the name also stands in tokens, topologies and certificates.
            yield f"{option} names {name!r}; expected a word such as front_desk"
        elif name in names[:at]:
            yield f"{option} names {name} twice"
