"""Teaches Pants storefronts: their shell, their fragments, and the sites that are built of both.

Modules: `targets` (what a BUILD file may say), `tree` (what is gathered), `site` (what is checked
and built), `units` (what is tested).
"""

from __future__ import annotations

from collections.abc import Iterable

from storefront import site, targets, tree, units


def target_types() -> Iterable[type]:
    """Give Pants the targets that BUILD files may name."""
    return (targets.Storefront, targets.StorefrontFragment, targets.StorefrontShell)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (*tree.rules(), *site.rules(), *units.rules())
