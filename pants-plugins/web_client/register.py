"""Teaches Pants the client on npm: `web_client`, for the goals `check` and `package`.

Modules, in the order in which a client passes through them: `targets` (what a BUILD file may say),
`sources` (what is written and what is generated), `npm` (packages that it is built with, and tsc),
`goals` (whether it type-checks, and what is packed).
"""

from __future__ import annotations

from collections.abc import Iterable

from web_client import goals, npm, sources, targets


def target_types() -> Iterable[type]:
    """Give Pants the target that BUILD files may name."""
    return (targets.WebClient,)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (*goals.rules(), *npm.rules(), *sources.rules())
