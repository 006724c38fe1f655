"""Texts of clients, as they may be shown again: short, and writable in any encoding."""

from __future__ import annotations

from typing import Final

MAXIMUM_SHOWN: Final = 1_000
"""Characters of a text that an error repeats."""


def shown(text: str) -> str:
    """Cut a text to what an error may repeat, and write out what has no UTF-8."""
    if len(text) > MAXIMUM_SHOWN:
        text = f"{text[:MAXIMUM_SHOWN]}…"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
