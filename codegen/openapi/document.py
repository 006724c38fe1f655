"""The OpenAPI 3.1 document of a contract's HTTP rules.

Source: OpenAPI 3.1, https://spec.openapis.org/oas/v3.1.0. Errors are problem details,
https://www.rfc-editor.org/rfc/rfc9457; tokens go into the header
`Authorization`, https://www.rfc-editor.org/rfc/rfc6750#section-2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codegen import names
from codegen.contract.comments import first_sentence
from codegen.contract.model import (
    Access,
    ContractFile,
    Field,
    HttpBinding,
    Kind,
    Message,
    Method,
    Service,
    TypeRef,
)
from codegen.openapi.rules import is_required
from codegen.openapi.schemas import Json, Schemas, prose, reference
from lib.http_status import HTTP_STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["document"]

_PROBLEM = "Problem"

_BEARER = "bearer"

_BEARER_SCHEME: Final[Mapping[str, Json]] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token, as signing in gives it. Roles are those that it names.",
}

_IDEMPOTENCY_KEY: Final[Mapping[str, Json]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names what is asked for. The same request with the same key is done once.",
    "required": True,
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}


_LAST_EVENT_ID: Final[Mapping[str, Json]] = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The id of the last event that was received; what comes after it is sent.",
}

_RETRY_AFTER: Final[Mapping[str, Json]] = {
    "description": "Seconds after which to ask again.",
    "schema": {"type": "integer", "minimum": 0},
}

_EMPTY_ID: Final[Mapping[str, Json]] = {"const": ""}
"""As browsers have it before there was an event with an id."""


def document(file: ContractFile) -> dict[str, Json]:
    """The `paths` and `components` of a contract's OpenAPI document."""
    return _Writer(file).document()


class _Writer:
    """Collects the document of one contract."""

    def __init__(self, file: ContractFile) -> None:
        self._file = file
        self._schemas = Schemas(file.types)

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
        schemas = {_PROBLEM: _problem(), **self._schemas.referred()}
        ordered: dict[str, Json] = {name: schemas[name] for name in sorted(schemas)}
        schemes: dict[str, Json] = {_BEARER: dict(_BEARER_SCHEME)}
        return {"paths": paths, "components": {"schemas": ordered, "securitySchemes": schemes}}

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
            operation["description"] = prose(method.comment)
        parameters: list[Json] = [
            {**self._parameter(field, "path", variable), "required": True}
            for field, variable in zip(binding.path_fields, variables, strict=True)
        ]
        parameters += [self._parameter(field, "query", field.json_name) for field in binding.query]
        if method.idempotency_key:
            parameters.append(dict(_IDEMPOTENCY_KEY))
        resume = method.events_resume
        if resume is not None:
            ids: list[Json] = [self._schemas.of_field(resume.request), dict(_EMPTY_ID)]
            parameters.append({**_LAST_EVENT_ID, "schema": {"anyOf": ids}})
        if parameters:
            operation["parameters"] = parameters
        if binding.has_body:
            operation["requestBody"] = {
                # An absent body is an empty object.
                "required": any(is_required(field) for field in self._body_fields(method, binding)),
                "content": {"application/json": {"schema": self._body(method, binding)}},
            }
        if method.kind is Kind.BIDIRECTIONAL:
            operation["x-websocket"] = {
                "subprotocols": ["bearer"],
                "receives": self._schemas.of_object(self._body_fields(method, binding)),
                "sends": self._schemas.of(method.response.full_name),
            }
        operation["security"] = _security(method.access)
        operation["responses"] = self._responses(method)
        return operation

    def _parameter(self, field: Field, place: str, name: str) -> dict[str, Json]:
        parameter: dict[str, Json] = {"name": name, "in": place}
        if field.comment:
            parameter["description"] = prose(field.comment)
        if is_required(field):
            parameter["required"] = True
        parameter["schema"] = self._schemas.of_field(field)
        return parameter

    def _body(self, method: Method, binding: HttpBinding) -> dict[str, Json]:
        if binding.body is not None:
            assert isinstance(binding.body.type, TypeRef)
            return self._schemas.of(binding.body.type.full_name)
        if not binding.path_fields:
            return self._schemas.of(method.request.full_name)
        return self._schemas.of_object(self._body_fields(method, binding))

    def _body_fields(self, method: Method, binding: HttpBinding) -> list[Field]:
        """The fields that a body may hold: what the path says, it must leave out."""
        of = binding.body.type if binding.body is not None else method.request
        assert isinstance(of, TypeRef)
        message = self._file.types[of.full_name]
        assert isinstance(message, Message)
        bound = {field.name for field in binding.path_fields} if binding.body is None else set()
        return [field for field in message.all_fields if field.name not in bound]

    def _responses(self, method: Method) -> dict[str, Json]:
        responses: dict[str, Json] = self._success(method)
        by_status: dict[int, list[Message]] = {}
        for error in method.errors:
            assert error.error is not None
            by_status.setdefault(HTTP_STATUS[error.error.code], []).append(error)
        refusals = _refusals(method.access)
        for status in sorted({*by_status, *refusals}):
            errors = by_status.get(status, [])
            listed = [f"{e.name}: {first_sentence(e.comment)}".rstrip(": ") for e in errors]
            schemas: list[Json] = [self._error(error) for error in errors]
            if status in refusals:
                listed.append(refusals[status])
            # A request that is no valid message is answered 400, too.
            if status == 400 or status in refusals:
                schemas.append(reference(_PROBLEM))
            schema: Json = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
            response = _problem_response("\n".join(listed), schema)
            if any(e.error is not None and e.error.retry_after is not None for e in errors):
                response["headers"] = {"Retry-After": dict(_RETRY_AFTER)}
            responses[str(status)] = response
        responses["default"] = _problem_response("Any other error.", reference(_PROBLEM))
        return responses

    def _success(self, method: Method) -> dict[str, Json]:
        if method.kind is Kind.BIDIRECTIONAL:
            refusal = "The request opens no WebSocket."
            return {
                "101": {"description": "A WebSocket, see `x-websocket`: each text is one record."},
                "426": _problem_response(refusal, reference(_PROBLEM)),
            }
        schema = self._schemas.of(method.response.full_name)
        if method.kind is Kind.SERVER_STREAMING:
            description = (
                "Server-sent events: the `data` of each is one record, or a problem in the event"
                " `error`. The event `end` says that no more will come."
            )
            events: list[Json] = [
                _event("message", schema),
                _event("error", reference(_PROBLEM)),
                _event("end", {"type": "object", "additionalProperties": False}),
            ]
            return {
                "200": {
                    "description": description,
                    "content": {"text/event-stream": {"schema": {"anyOf": events}}},
                }
            }
        content: Json = {"application/json": {"schema": schema}}
        return {"200": {"description": "The answer.", "content": content}}

    def _error(self, error: Message) -> Json:
        """The schema of a problem that holds a typed error."""
        assert error.error is not None
        return {
            "allOf": [
                reference(_PROBLEM),
                {
                    "type": "object",
                    "properties": {
                        "code": {"const": error.error.code},
                        "error": {"const": error.full_name.rpartition(".")[2]},
                        "fields": self._schemas.of(error.full_name),
                    },
                    "required": ["error", "fields"],
                },
            ]
        }


def _event(name: str, data: Json) -> Json:
    """The schema of a server-sent event: its fields, as the client's parser gives them.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. What OpenAPI 3.1 leaves
    open, the schema of a stream of events, is read as 3.2 has it: it describes one event.
    """
    return {
        "type": "object",
        "properties": {
            "event": {"const": name},
            "id": {"type": "string"},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": data,
            },
        },
        "required": ["data"],
    }


def _security(access: Access) -> list[Json]:
    """What a request needs to be let in: one of these."""
    if access.public:
        # Who is signed in is seen as that, too.
        return [{}, {_BEARER: []}]
    roles: list[Json] = [{_BEARER: [role]} for role in access.roles]
    return roles or [{_BEARER: []}]


def _refusals(access: Access) -> dict[int, str]:
    """How a request is answered that is not let in, by status."""
    if access.public:
        return {401: "The token is not valid."}
    refusals = {401: "There is no token, or it is not valid."}
    if access.roles:
        refusals[403] = f"Only for the {_alternatives(access.roles)}."
    return refusals


def _alternatives(roles: Sequence[str]) -> str:
    kind = "role" if len(roles) == 1 else "roles"
    return f"{kind} {' or '.join(roles)}"


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


def _problem_response(description: str, schema: Json) -> dict[str, Json]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }
