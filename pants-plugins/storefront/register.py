"""Teaches Pants the storefront: the targets `storefront` and `storefront_fragment`.

Modules: `targets` (what a BUILD file may say), `site` (what is gathered, checked and built).
"""

from __future__ import annotations

from collections.abc import Iterable

from storefront import site, targets


def target_types() -> Iterable[type]:
    """Give Pants the targets that BUILD files may name."""
    return (targets.Storefront, targets.StorefrontFragment)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return site.rules()
