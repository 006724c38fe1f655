"""Writes the classes that call the services of a contract, for those who wait and for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.model import (
    Field,
    IdempotencyLevel,
    Kind,
    Message,
    Method,
    Scalar,
    Service,
)
from codegen.python.docstrings import docstring
from codegen.python.source import string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from codegen.contract.model import Enum, Member
    from codegen.python_client.modules import ClientImports
    from codegen.python_client.records import RecordWriter

__all__ = ["ServiceWriter", "called_methods", "items_of_page", "method_constant", "takes_token"]

_OPTIONS = frozenset({"self", "timeout", "idempotency_key"})


def called_methods(service: Service) -> list[Method]:
    """The methods that clients call: those over HTTP."""
    kinds = (Kind.UNARY, Kind.SERVER_STREAMING, Kind.BIDIRECTIONAL)
    return [each for each in service.methods if each.http and each.kind in kinds]


def method_constant(service: Service, method: Method) -> str:
    """What describes a method."""
    return f"{names.constant(service.name)}_{names.constant(method.name)}"


def items_of_page(method: Method, types: Mapping[str, Message | Enum]) -> Field | None:
    """What a method lists page by page; None when it does not.

    Source: https://google.aip.dev/158.
    """
    request, response = types.get(method.request.full_name), types.get(method.response.full_name)
    if method.kind is not Kind.UNARY:
        return None
    if not isinstance(request, Message) or not isinstance(response, Message):
        return None
    is_paged = _has_text(request, "page_token") and _has_text(response, "next_page_token")
    lists = [each for each in response.fields if each.repeated]
    return lists[0] if is_paged and len(lists) == 1 else None


def takes_token(method: Method, types: Mapping[str, Message | Enum]) -> bool:
    """Whether an access token goes with a call.

    It does not where tokens are given or given back: one that has expired, and is refused wherever
    it is shown, must not keep anybody from getting another.
    """
    request, response = types.get(method.request.full_name), types.get(method.response.full_name)
    if not method.access.public:
        return True
    if not isinstance(request, Message) or not isinstance(response, Message):
        return True
    return not (_has_text(request, "refresh_token") or _has_text(response, "refresh_token"))


def _has_text(message: Message, name: str) -> bool:
    return any(each.name == name and each.type is Scalar.STRING for each in message.fields)


class ServiceWriter:
    """Writes the services of one contract.

    Args:
        imports: the imports of the module.
        types: every type in the import closure by full name.
        records: writes what records hold, as parameters have it.
    """

    def __init__(
        self,
        imports: ClientImports,
        types: Mapping[str, Message | Enum],
        records: RecordWriter,
    ) -> None:
        self.imports = imports
        self._types = types
        self._records = records

    def descriptors(self, service: Service) -> Iterator[str]:
        """The constants that describe the methods."""
        for method in called_methods(service):
            yield self._descriptor(service, method)

    def classes(self, service: Service) -> Iterator[str]:
        """The two classes that call the service."""
        yield self._class(service, is_async=False)
        yield self._class(service, is_async=True)

    def _descriptor(self, service: Service, method: Method) -> str:
        (binding, *_) = method.http
        final = self.imports.name("typing", "Final")
        kind = self.imports.runtime("methods", "Method")
        segments = [
            f"({string(each.name)},)" if isinstance(each, Field) else string(each)
            for each in binding.segments
        ]
        arguments = [
            string(f"{service.full_name}/{method.name}"),
            string(binding.verb.upper()),
            _tuple(segments),
            self.imports.type(method.response),
            f"timeout={method.timeout!r}",
        ]
        if binding.suffix:
            arguments.append(f"suffix={string(binding.suffix)}")
        if binding.query:
            arguments.append(f"query={_tuple(string(each.json_name) for each in binding.query)}")
        if binding.has_body:
            body = "*" if binding.body is None else binding.body.name
            arguments.append(f"body={string(body)}")
        if method.idempotency is not IdempotencyLevel.UNKNOWN:
            arguments.append("is_repeatable=True")
        if method.idempotency_key:
            arguments.append("has_key=True")
        if method.kind is Kind.SERVER_STREAMING:
            arguments.append("is_stream=True")
        if method.events_resume is not None:
            arguments.append("resumes=True")
        if not takes_token(method, self._types):
            arguments.append("takes_token=False")
        if method.errors:
            arguments.append(f"errors={_tuple(self._error(error) for error in method.errors)}")
        return f"{method_constant(service, method)}: {final} = {kind}({', '.join(arguments)})"

    def _error(self, error: Message) -> str:
        return self.imports.name(error.module, names.exception_class(error.name))

    def _class(self, service: Service, *, is_async: bool) -> str:
        prefix = "Async" if is_async else ""
        module = "async_connection" if is_async else "connection"
        connection = self.imports.runtime(module, f"{prefix}Connection")
        rows = [
            f"class {prefix}{service.name}:",
            "    " + docstring(service.comment or f"The service `{service.full_name}`.", 4),
            "",
            f"    def __init__(self, connection: {connection}) -> None:",
            "        self._connection = connection",
        ]
        for method in called_methods(service):
            rows += ["", *(f"    {row}" for row in self._method(service, method, is_async))]
            items = items_of_page(method, self._types)
            if items is not None:
                rows += ["", *(f"    {row}" for row in self._pages(method, items, is_async))]
        return "\n".join(rows)

    def _method(self, service: Service, method: Method, is_async: bool) -> Iterator[str]:
        is_stream = method.kind is not Kind.UNARY
        is_talk = method.kind is Kind.BIDIRECTIONAL
        members = self._members(method)
        options = [] if is_stream else ["timeout: float | None = None"]
        if method.idempotency_key:
            options.append("idempotency_key: str | None = None")
        response = self.imports.type(method.response)
        if is_talk:
            module = "async_conversation" if is_async else "conversation"
            conversation = self.imports.runtime(module, f"{'Async' * is_async}Conversation")
            response = f"{conversation}[{self.imports.type(method.request)}, {response}]"
        elif is_stream:
            iterator = "AsyncIterator" if is_async else "Iterator"
            response = f"{self.imports.name('collections.abc', iterator)}[{response}]"
        prefix = "async " if is_async and (is_talk or not is_stream) else ""
        parameters = self._parameters(method, members, options)
        yield f"{prefix}def {_name(method)}({parameters}) -> {response}:"
        yield "    " + docstring(
            method.comment or f"Calls `{service.full_name}/{method.name}`.",
            8,
            self._sections(method, members, is_stream=is_stream),
        ).replace("\n    ", "\n")
        record = f"{self.imports.type(method.request)}({self._arguments(members)})"
        call = "talk" if is_talk else "stream" if is_stream else "call"
        passed = [method_constant(service, method), record]
        passed += [] if is_stream else ["timeout"]
        passed += ["idempotency_key"] if method.idempotency_key else []
        wait = "await " if prefix else ""
        yield f"    return {wait}self._connection.{call}({', '.join(passed)})"

    def _pages(self, method: Method, items: Field, is_async: bool) -> Iterator[str]:
        """The method that goes through all pages."""
        members = [m for m in self._members(method) if m.name != "page_token"]
        iterator = self.imports.name("collections.abc", "AsyncIterator" if is_async else "Iterator")
        prefix, wait = ("async ", "await ") if is_async else ("", "")
        parameters = self._parameters(method, members, ["timeout: float | None = None"])
        name = f"iter_{names.snake(method.name).removeprefix('list_')}"
        item = self.imports.single(items.type)
        yield f"{prefix}def {name}({parameters}) -> {iterator}[{item}]:"
        summary = f"Goes through all pages of `{_name(method)}`, asking for each when it is due."
        yield "    " + docstring(
            summary, 8, self._sections(method, members, is_stream=False)
        ).replace("\n    ", "\n")
        passed = [f"{_parameter(member)}={_parameter(member)}" for member in members]
        passed += ["page_token=page_token", "timeout=timeout"]
        yield '    page_token = ""'
        yield "    while True:"
        yield f"        page = {wait}self.{_name(method)}({', '.join(passed)})"
        yield f"        for item in page.{items.attribute}:"
        yield "            yield item"
        yield "        page_token = page.next_page_token"
        yield "        if not page_token:"
        yield "            return"

    def _members(self, method: Method) -> Sequence[Member]:
        request = self._types.get(method.request.full_name)
        members = request.members if isinstance(request, Message) else ()
        if method.kind is not Kind.BIDIRECTIONAL:
            return members
        # What only frames hold is said later.
        (binding, *_) = method.http
        first = {each.name for each in (*binding.path_fields, *binding.query)}
        return [each for each in members if each.name in first]

    def _parameters(self, method: Method, members: Sequence[Member], options: list[str]) -> str:
        in_path = {field.name for field in method.http[0].path_fields}
        listed = []
        for member in members:
            default = "" if member.name in in_path else self._records.default(member)
            annotation = self._records.annotation(member)
            if default == "{}":
                annotation, default = f"{annotation} | None", "None"
            listed.append(
                f"{_parameter(member)}: {annotation}" + (f" = {default}" if default else "")
            )
        named = [*listed, *options]
        return ", ".join(["self", "*", *named]) if named else "self"

    def _arguments(self, members: Sequence[Member]) -> str:
        listed = []
        for member in members:
            is_map = isinstance(member, Field) and member.map is not None
            value = _parameter(member)
            listed.append(f"{member.attribute}={value}{' or {}' if is_map else ''}")
        return ", ".join(listed)

    def _sections(
        self, method: Method, members: Sequence[Member], *, is_stream: bool
    ) -> list[tuple[str, list[tuple[str, str]]]]:
        arguments = [(_parameter(member), member.comment) for member in members]
        if not is_stream:
            bound = f"Seconds for the call and its repetitions; {method.timeout:g} when None."
            arguments.append(("timeout", bound))
        if method.idempotency_key:
            arguments.append(
                ("idempotency_key", "Names what is to be done; one is made when None.")
            )
        raises = [(names.exception_class(each.name), each.comment) for each in method.errors]
        if method.kind is Kind.BIDIRECTIONAL:
            # An error of the call ends the conversation, by words that have no room for fields.
            said = ", ".join(f"`{each.name}`" for each in method.errors)
            told = (
                f" What it hears may raise it, too: its `name` is then one of {said}."
                if said
                else ""
            )
            raises = [("ApiError", f"The conversation is refused, or the server is away.{told}")]
        else:
            raises.append(("ApiError", "The call has failed in another way."))
        return [("Args", arguments)] * bool(arguments) + [("Raises", raises)]


def _tuple(parts: Iterable[str]) -> str:
    listed = list(parts)
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"


def _name(method: Method) -> str:
    return method.attribute


def _parameter(member: Member) -> str:
    """What a field is called as a parameter."""
    return f"{member.attribute}_" if member.attribute in _OPTIONS else member.attribute
