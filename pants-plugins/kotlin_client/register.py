"""Teaches Pants clients in Kotlin: `kotlin_client` and `kotlin_programs`, to check and to pack.

Modules, in the order in which a client passes through them: `targets` (what a BUILD file may say),
`sources` (what is written and what is generated), `compiler` (the client's jar), `programs` (those
of its tests and examples), `goals` (whether it compiles, and what is packed).
"""

from __future__ import annotations

from collections.abc import Iterable

from kotlin_client import compiler, goals, programs, sources, targets


def target_types() -> Iterable[type]:
    """Give Pants the targets that BUILD files may name."""
    return (targets.KotlinClient, targets.KotlinPrograms)


def rules() -> Iterable:
    """Give Pants the rules of this backend, which stands on `web_client` for npm."""
    return (*compiler.rules(), *goals.rules(), *programs.rules(), *sources.rules())
