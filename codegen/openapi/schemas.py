"""JSON schemas of ProtoJSON, for the documents that describe a contract.

Source: https://protobuf.dev/programming-guides/json. Schemas are named after messages in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Union

from codegen.contract.comments import first_sentence, reflow
from codegen.contract.declarations import FIELD_MASK
from codegen.contract.model import (
    Enum,
    Field,
    FieldType,
    Message,
    Scalar,
    TypeRef,
    WellKnown,
    Wrapper,
)
from codegen.openapi.rules import is_required, item_rules, value_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Json", "Schemas", "prose", "reference"]

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

_FIELD_MASK: Final[Mapping[str, Json]] = {
    "type": "string",
    "format": "field-mask",
    "description": "Names of fields with commas between them, such as `title,author.name`.",
}

_SCALARS: Final[Mapping[str, dict[str, Json]]] = {
    "int32": {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    "uint32": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**32 - 1},
    "int64": {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"},
    "uint64": {"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"},
    "float": {"type": "number", "format": "float"},
    "double": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "format": "byte", "contentEncoding": "base64"},
}


def reference(name: str) -> dict[str, Json]:
    """A reference to the schema of a name."""
    return {"$ref": f"#/components/schemas/{name}"}


def prose(comment: str) -> str:
    """A comment without its line breaks inside paragraphs."""
    return "\n".join(reflow(comment, 10_000))


class Schemas:
    """Writes schemas, and collects those that they refer to.

    Args:
        types: the types of the contract and of those that it imports, by full name.
    """

    def __init__(self, types: Mapping[str, Message | Enum]) -> None:
        self._types = types
        self._wanted: list[str] = []

    def referred(self) -> dict[str, Json]:
        """The schemas of all types that were referred to so far, and of those inside them."""
        # Every schema may refer to more.
        return {name: self._schema(self._types[name]) for name in self._wanted}

    def of(self, full_name: str) -> dict[str, Json]:
        """The schema of a message or enum, by reference."""
        if full_name == FIELD_MASK:
            return dict(_FIELD_MASK)
        if full_name not in self._wanted:
            self._wanted.append(full_name)
        return reference(full_name)

    def _schema(self, type_: Message | Enum) -> dict[str, Json]:
        if isinstance(type_, Enum):
            return _enum(type_)
        schema = self.of_object(type_.all_fields)
        if type_.comment:
            schema = {"description": prose(type_.comment), **schema}
        return schema

    def of_object(self, fields: Sequence[Field]) -> dict[str, Json]:
        """The schema of an object that holds fields."""
        schema: dict[str, Json] = {"type": "object"}
        properties: dict[str, Json] = {}
        for field in fields:
            value = self.of_field(field)
            if field.comment:
                # Beside a reference, 3.1 allows a description of its own.
                value = {**value, "description": prose(field.comment)}
            properties[field.json_name] = value
        schema["properties"] = properties
        schema["additionalProperties"] = False
        required: list[Json] = [f.json_name for f in fields if is_required(f)]
        if required:
            schema["required"] = required
        return schema

    def of_field(self, field: Field) -> dict[str, Json]:
        """The schema of a field's value."""
        single = self._single(field.type)
        rules = field.rules
        if rules is not None:
            single |= value_rules(field.type, rules)
        schema = single
        if field.map is not None:
            schema = {"type": "object", "additionalProperties": single}
        elif field.repeated:
            schema = {"type": "array", "items": single}
        return schema if rules is None else {**schema, **item_rules(field, rules)}

    def _single(self, type_: FieldType) -> dict[str, Json]:
        if isinstance(type_, TypeRef):
            return self.of(type_.full_name)
        if type_ is WellKnown.FIELD_MASK:
            return dict(_FIELD_MASK)
        if type_ is WellKnown.TIMESTAMP:
            return {"type": "string", "format": "date-time"}
        if type_ is WellKnown.DURATION:
            return {
                "type": "string",
                "format": "duration",
                "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
            }
        scalar = type_.scalar if isinstance(type_, Wrapper) else type_
        assert isinstance(scalar, Scalar)
        return dict(_SCALARS[scalar.json_kind])


def _enum(enum: Enum) -> dict[str, Json]:
    listed = [f"- `{v.name}`: {first_sentence(v.comment)}" for v in enum.values if v.comment]
    comment = "\n\n".join(filter(None, [prose(enum.comment), "\n".join(listed)]))
    schema: dict[str, Json] = {"description": comment} if comment else {}
    values: list[Json] = [value.name for value in enum.values]
    return {**schema, "type": "string", "enum": values}
