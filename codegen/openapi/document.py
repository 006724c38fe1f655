"""The OpenAPI 3.1 document of a contract's HTTP rules.

Source: OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0. Schemas describe ProtoJSON,
https://protobuf.dev/programming-guides/json, and are named after messages in full. Errors are
problem details, https://www.rfc-editor.org/rfc/rfc9457.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Union

from codegen import names
from codegen.contract.comments import first_sentence, reflow
from codegen.contract.declarations import FIELD_MASK
from codegen.contract.model import (
    ContractFile,
    Enum,
    Field,
    FieldType,
    HttpBinding,
    Message,
    Method,
    Presence,
    Scalar,
    Service,
    TypeRef,
    WellKnown,
    Wrapper,
)
from lib.http_status import HTTP_STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Json", "document"]

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

_PROBLEM = "Problem"

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


def document(file: ContractFile) -> dict[str, Json]:
    """The `paths` and `components` of a contract's OpenAPI document."""
    return _Writer(file).document()


class _Writer:
    """Collects the document of one contract."""

    def __init__(self, file: ContractFile) -> None:
        self._file = file
        self._wanted: list[str] = []

    def document(self) -> dict[str, Json]:
        paths: dict[str, Json] = {}
        # Paths that differ in what their variables are called are one path, called as the first.
        first: dict[str, HttpBinding] = {}
        for service in self._file.services:
            for method in service.methods:
                for at, binding in enumerate(method.http, 1):
                    named = first.setdefault(binding.shape, binding)
                    path = paths.setdefault(named.path(), {})
                    assert isinstance(path, dict)
                    variables = [field.name for field in named.path_fields]
                    path[binding.verb] = self._operation(service, method, binding, at, variables)
        schemas: dict[str, Json] = {_PROBLEM: _problem()}
        # Every schema may refer to more.
        for name in self._wanted:
            schemas[name] = self._schema(self._file.types[name])
        ordered: dict[str, Json] = {name: schemas[name] for name in sorted(schemas)}
        return {"paths": paths, "components": {"schemas": ordered}}

    def _reference(self, full_name: str) -> dict[str, Json]:
        if full_name == FIELD_MASK:
            return dict(_FIELD_MASK)
        if full_name != _PROBLEM and full_name not in self._wanted:
            self._wanted.append(full_name)
        return {"$ref": f"#/components/schemas/{full_name}"}

    def _operation(
        self,
        service: Service,
        method: Method,
        binding: HttpBinding,
        at: int,
        variables: Sequence[str],
    ) -> dict[str, Json]:
        operation: dict[str, Json] = {
            "operationId": names.operation_id(service.name, method.name, at),
            "tags": [service.full_name],
        }
        if method.comment:
            operation["summary"] = first_sentence(method.comment)
            operation["description"] = _prose(method.comment)
        parameters: list[Json] = [
            {**self._parameter(field, "path", variable), "required": True}
            for field, variable in zip(binding.path_fields, variables, strict=True)
        ]
        parameters += [self._parameter(field, "query", field.json_name) for field in binding.query]
        if parameters:
            operation["parameters"] = parameters
        if binding.has_body:
            operation["requestBody"] = {
                # An absent body is an empty object.
                "required": any(
                    field.presence is Presence.REQUIRED
                    for field in self._body_fields(method, binding)
                ),
                "content": {"application/json": {"schema": self._body(method, binding)}},
            }
        operation["responses"] = self._responses(method)
        return operation

    def _parameter(self, field: Field, place: str, name: str) -> dict[str, Json]:
        parameter: dict[str, Json] = {"name": name, "in": place}
        if field.comment:
            parameter["description"] = _prose(field.comment)
        if field.presence is Presence.REQUIRED:
            parameter["required"] = True
        parameter["schema"] = self._value(field)
        return parameter

    def _body(self, method: Method, binding: HttpBinding) -> dict[str, Json]:
        if binding.body is not None:
            assert isinstance(binding.body.type, TypeRef)
            return self._reference(binding.body.type.full_name)
        if not binding.path_fields:
            return self._reference(method.request.full_name)
        return self._object(self._body_fields(method, binding))

    def _body_fields(self, method: Method, binding: HttpBinding) -> list[Field]:
        """The fields that a body may hold: what the path says, it must leave out."""
        of = binding.body.type if binding.body is not None else method.request
        assert isinstance(of, TypeRef)
        message = self._file.types[of.full_name]
        assert isinstance(message, Message)
        bound = {field.name for field in binding.path_fields} if binding.body is None else set()
        return [field for field in message.all_fields if field.name not in bound]

    def _responses(self, method: Method) -> dict[str, Json]:
        responses: dict[str, Json] = {
            "200": {
                "description": "The answer.",
                "content": {
                    "application/json": {"schema": self._reference(method.response.full_name)}
                },
            }
        }
        by_status: dict[int, list[Message]] = {}
        for error in method.errors:
            assert error.error is not None
            by_status.setdefault(HTTP_STATUS[error.error.code], []).append(error)
        for status, errors in sorted(by_status.items()):
            listed = [f"{e.name}: {first_sentence(e.comment)}".rstrip(": ") for e in errors]
            # A request that is no valid message is answered 400, too.
            schemas: list[Json] = [self._error(error) for error in errors]
            if status == 400:
                schemas.append(self._reference(_PROBLEM))
            schema: Json = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
            responses[str(status)] = _problem_response("\n".join(listed), schema)
        responses["default"] = _problem_response("Any other error.", self._reference(_PROBLEM))
        return responses

    def _error(self, error: Message) -> Json:
        """The schema of a problem that holds a typed error."""
        assert error.error is not None
        return {
            "allOf": [
                self._reference(_PROBLEM),
                {
                    "type": "object",
                    "properties": {
                        "code": {"const": error.error.code},
                        "error": {"const": error.full_name.rpartition(".")[2]},
                        "fields": self._reference(error.full_name),
                    },
                    "required": ["error", "fields"],
                },
            ]
        }

    def _schema(self, type_: Message | Enum) -> dict[str, Json]:
        if isinstance(type_, Enum):
            return _enum(type_)
        schema = self._object(type_.all_fields)
        if type_.comment:
            schema = {"description": _prose(type_.comment), **schema}
        return schema

    def _object(self, fields: list[Field] | tuple[Field, ...]) -> dict[str, Json]:
        schema: dict[str, Json] = {"type": "object"}
        properties: dict[str, Json] = {}
        for field in fields:
            value = self._value(field)
            if field.comment:
                # Beside a reference, 3.1 allows a description of its own.
                value = {**value, "description": _prose(field.comment)}
            properties[field.json_name] = value
        schema["properties"] = properties
        schema["additionalProperties"] = False
        required: list[Json] = [f.json_name for f in fields if f.presence is Presence.REQUIRED]
        if required:
            schema["required"] = required
        return schema

    def _value(self, field: Field) -> dict[str, Json]:
        single = self._single(field.type)
        if field.map is not None:
            return {"type": "object", "additionalProperties": single}
        return {"type": "array", "items": single} if field.repeated else single

    def _single(self, type_: FieldType) -> dict[str, Json]:
        if isinstance(type_, TypeRef):
            return self._reference(type_.full_name)
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
    comment = "\n\n".join(filter(None, [_prose(enum.comment), "\n".join(listed)]))
    schema: dict[str, Json] = {"description": comment} if comment else {}
    values: list[Json] = [value.name for value in enum.values]
    return {**schema, "type": "string", "enum": values}


def _problem() -> dict[str, Json]:
    """The schema that all errors share."""
    text: dict[str, Json] = {"type": "string"}
    return {
        "description": "What went wrong, as RFC 9457 describes it.",
        "type": "object",
        "properties": {
            "type": {**text, "description": "A reference that names the kind of problem."},
            "title": {**text, "description": "The kind of problem, in a few words."},
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": {**text, "description": "What happened, in one sentence."},
            "code": {**text, "description": "The canonical status code, such as `NOT_FOUND`."},
        },
        "required": ["type", "title", "status", "code"],
    }


def _problem_response(description: str, schema: Json) -> Json:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


def _prose(comment: str) -> str:
    """A comment without its line breaks inside paragraphs."""
    return "\n".join(reflow(comment, 10_000))
