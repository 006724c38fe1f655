"""What manifests of the shop have in common: how they are named and labelled."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Manifest: TypeAlias = dict[str, Any]

PART_OF: Final = {"app.kubernetes.io/part-of": "shop"}


def labels(name: str) -> dict[str, str]:
    """What tells the pods of a name from others."""
    return {"app.kubernetes.io/name": name}


def metadata(name: str) -> Manifest:
    """Of something with this name."""
    return {"name": name, "labels": {**PART_OF, **labels(name)}}
