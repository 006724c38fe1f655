"""Makes the methods of a contract public that do not say who may call them. For tests.

Tests that are about something else stay short, and what stands before a method's closing brace
keeps its line and column.
"""

from __future__ import annotations

import re

__all__ = ["with_public_methods"]

_METHOD = re.compile(r"\brpc\s+\S+?\s*\([^)]*\)\s*returns\s*\([^)]*\)\s*")
_TOKEN = re.compile(r'"[^"]*"|[{}]')
_SPEC = "option (contract.v1.method) = {"
_PUBLIC = "access: {public: true}"


def with_public_methods(text: str) -> str:
    """The contract with a policy for each method.

    Args:
        text: a contract that imports `contract/v1/options.proto`.
    """
    parts: list[str] = []
    at = 0
    for method in _METHOD.finditer(text):
        parts.append(text[at : method.end()])
        at = method.end()
        if text[at] == ";":
            parts.append(f"{{ {_SPEC}{_PUBLIC}}}; }}")
            at += 1
            continue
        end = _closing_brace(text, at)
        body = text[at:end]
        at = end
        if _SPEC not in body:
            body += f" {_SPEC}{_PUBLIC}}}; "
        elif "access:" not in body:
            start = body.index(_SPEC) + len(_SPEC) - 1
            close = _closing_brace(body, start)
            body = f"{body[:close]} {_PUBLIC}{body[close:]}"
        parts.append(body)
    return "".join([*parts, text[at:]])


def _closing_brace(text: str, opening: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, opening):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if not depth:
            return token.start()
    raise ValueError(f"nothing closes the brace at {opening}")
