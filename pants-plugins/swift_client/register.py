"""Teaches Pants the Swift package: `swift_client`, for the goals `check` and `package`.

Modules, in the order in which a client passes through them: `targets` (what a BUILD file says),
`sources` (what is written, what is generated), `goals` (whether it is Swift, what is packed).
"""

from __future__ import annotations

from collections.abc import Iterable

from swift_client import goals, sources, targets


def target_types() -> Iterable[type]:
    """Give Pants the target that BUILD files may name."""
    return (targets.SwiftClient,)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (*goals.rules(), *sources.rules())
