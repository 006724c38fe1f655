"""The rules of fields, `(contract.v1.rules)`, as keywords of JSON schemas.

Source: https://json-schema.org/draft/2020-12/json-schema-validation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codegen.contract.model import Presence, Scalar, Wrapper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codegen.contract.model import Field, FieldType, Rules
    from codegen.openapi.schemas import Json

__all__ = ["is_required", "item_rules", "value_rules"]

_DIGITS: Final[Mapping[str, int]] = {"int64": 19, "uint64": 20}
"""How many digits the integers have that ProtoJSON writes as texts. Keywords for numbers tell
people their range, and only a pattern tells programs."""


def is_required(field: Field) -> bool:
    """Whether an object must hold a field: it is REQUIRED, or rules refuse its default."""
    rules = field.rules
    if field.presence is not Presence.ALWAYS or field.case_class or rules is None:
        return field.presence is Presence.REQUIRED
    if not field.is_single:
        return bool(rules.min_items)
    too_low = rules.minimum is not None and rules.minimum > 0
    too_high = rules.maximum is not None and rules.maximum < 0
    unlike = bool(rules.pattern) and re.fullmatch(rules.pattern, "") is None
    return bool(rules.min_length) or too_low or too_high or unlike


def value_rules(type_: FieldType, rules: Rules) -> dict[str, Json]:
    """What a schema says of a single value.

    Args:
        type_: the value's type.
        rules: the rules of its field.
    """
    scalar = type_.scalar if isinstance(type_, Wrapper) else type_
    if not isinstance(scalar, Scalar):
        return {}
    low, high = rules.min_length, rules.max_length
    if scalar is Scalar.BYTES:
        # In base64, whose padding may be left out.
        low = None if low is None else -(-4 * low // 3)
        high = None if high is None else 4 * -(-high // 3)
    pattern = f"^(?:{rules.pattern})$" if rules.pattern else None
    digits = _DIGITS.get(scalar.json_kind)
    if digits is not None and rules.minimum is not None and rules.minimum >= 0:
        pattern = f"^[0-9]{{1,{digits}}}$"
    found: dict[str, Json | None] = {
        "minLength": low,
        "maxLength": high,
        "pattern": pattern,
        "minimum": rules.minimum,
        "maximum": rules.maximum,
    }
    return {key: value for key, value in found.items() if value is not None}


def item_rules(field: Field, rules: Rules) -> dict[str, Json]:
    """What the schema of a repeated field or a map says of how many there are."""
    noun = "Properties" if field.map is not None else "Items"
    found = {f"min{noun}": rules.min_items, f"max{noun}": rules.max_items}
    return {key: value for key, value in found.items() if value is not None}
