"""How names in a contract become names in Python."""

from __future__ import annotations

import builtins
import keyword
import re

__all__ = ["attribute_name", "camel", "constant", "default_module", "enum_attribute", "snake"]

# Types that annotations in records name. A field of the same name would hide them from the fields
# after it.
_ANNOTATION_NAMES = frozenset(
    {"bool", "bytes", "datetime", "float", "int", "str", "timedelta", "tuple"}
)

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`BatchGetItems` as `batch_get_items`, `HTTPRule` as `http_rule`."""
    return _WORD_START.sub("_", name).lower()


def camel(name: str) -> str:
    """`card_number` as `CardNumber`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def constant(name: str) -> str:
    """`BatchGetItems` as `BATCH_GET_ITEMS`."""
    return snake(name).upper()


def attribute_name(name: str) -> str:
    """A field's or method's name as an attribute, with `_` at the end when Python needs it."""
    return f"{name}_" if keyword.iskeyword(name) or name in _ANNOTATION_NAMES else name


def enum_attribute(enum: str, value: str) -> str:
    """A value's name without the enum's name before it, as the style guides ask it to be written.

    Args:
        enum: The enum's own name, such as `Category`.
        value: The value's name, such as `CATEGORY_HOME`.

    Returns:
        `HOME`; the whole name where the rest would be no identifier.
    """
    prefix = f"{constant(enum)}_"
    stripped = value.removeprefix(prefix)
    if not stripped.isidentifier() or keyword.iskeyword(stripped) or stripped in _ENUM_NAMES:
        stripped = value
    return f"{stripped}_" if keyword.iskeyword(stripped) or stripped in _ENUM_NAMES else stripped


# Names that mean something else in an enum class: `name`, `value`, methods of int.
_ENUM_NAMES = frozenset({"name", "value", "is_known", "mro", *dir(builtins.int)})


def default_module(path: str) -> str:
    """The records module of a contract that no parameter moves.

    `inventory/v1/api.proto` becomes `inventory.v1.api`.
    """
    return path.removesuffix(".proto").replace("-", "_").replace("/", ".")
