"""Refuses contracts in which two things would get one name in generated code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.comments import SourceInfo
from codegen.contract.model import Location, OneOf, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

    from codegen.contract.model import ContractFile, Enum, Message, Service

__all__ = ["Claim", "clashes", "json_claims", "module_claims", "name_claims"]


@dataclass(frozen=True)
class Claim:
    """A name in generated code, and what in the contract it stands for.

    Attributes:
        scope: where the name has to be the only one of its kind.
        kind: what the name is there, such as `class`.
        name: the name.
        what: the element of the contract.
        location: where the element stands.
    """

    scope: str
    kind: str
    name: str
    what: str
    location: Location


def clashes(claims: Iterable[Claim]) -> Iterator[Problem]:
    """The pairs of elements that claim one name, each pair once.

    Args:
        claims: the names of one or more files.
    """
    first: dict[tuple[str, str], Claim] = {}
    told: set[tuple[str, str]] = set()
    for claim in claims:
        # Names that stand in the contract as they are have been checked.
        is_made = not claim.what.endswith(f".{claim.name}")
        if claim.kind == "class" and is_made and names.is_reserved(claim.name):
            reason = f"would become the class {claim.name}, which is Python's own"
            yield Problem(claim.location, f"{claim.what} {reason}")
        other = first.setdefault((claim.scope, claim.name), claim)
        pair = (other.what, claim.what)
        if other is claim or pair in told:
            continue
        told.add(pair)
        reason = f"would both become the {claim.kind} {claim.name}"
        yield Problem(claim.location, f"{claim.what} and {other.what} ({other.location}) {reason}")


def module_claims(files: Iterable[ContractFile]) -> Iterator[Claim]:
    """The modules that are generated from files, and the packages that they are in."""
    packages: dict[str, Claim] = {}
    modules: list[Claim] = []
    for file in files:
        for module in _modules(file):
            location = Location(file.path, 1, 1)
            modules.append(Claim("modules", "module", module, file.path, location))
            for package in list(accumulate(module.split("."), "{}.{}".format))[:-1]:
                what = f"the package of {file.path}"
                packages.setdefault(package, Claim("modules", "module", package, what, location))
    yield from packages.values()
    yield from modules


def _modules(file: ContractFile) -> Iterator[str]:
    pb2 = f"{file.pb2_package}.{file.pb2_name}".lstrip(".")
    yield pb2
    yield f"{pb2}_grpc"
    yield file.module
    yield names.wire_module(file.module)
    yield names.json_module(file.module)
    if file.services:
        yield from (f"{file.module}_bus", f"{file.module}_mock")
    if any(method.http for service in file.services for method in service.methods):
        yield from (f"{file.module}_routes", f"{file.module}_openapi")
    if file.events:
        yield from (f"{file.module}_events", f"{file.module}_asyncapi")


def name_claims(file: ContractFile) -> Iterator[Claim]:
    """The names in the modules that are generated from a file."""
    for enum in file.enums:
        yield from _enum(enum)
    for message in file.messages:
        yield from _message(message)
        yield from _members(message)
    has_http = any(method.http for service in file.services for method in service.methods)
    if has_http:
        yield Claim(
            "schemas", "schema", "Problem", "the schema of all errors", Location(file.path, 1, 1)
        )
        for message in file.messages:
            yield _named("schemas", "schema", message.full_name, message)
    for service in file.services:
        yield from _service(service)
        yield from _methods(service)


def json_claims(file: FileDescriptorProto) -> Iterator[Claim]:
    """The names that the fields of a file go by in JSON: each its own, and the contract's.

    They are read from descriptors, since Python's protobuf runtime loads none in which two clash,
    and does not say where they stand. It counts the names of oneofs among them.
    """
    source = SourceInfo(file)

    def inside(message: DescriptorProto, full_name: str, path: tuple[int, ...]) -> Iterator[Claim]:
        scope, kind = f"{full_name} in JSON", "name in JSON"
        for i, oneof in enumerate(message.oneof_decl):
            what, place = f"oneof {full_name}.{oneof.name}", source.location(*path, 8, i)
            yield Claim(scope, kind, oneof.name, what, place)
        for i, field in enumerate(message.field):
            what, place = f"field {full_name}.{field.name}", source.location(*path, 2, i)
            for name in dict.fromkeys((field.json_name, field.name)):
                yield Claim(scope, kind, name, what, place)
        for i, nested in enumerate(message.nested_type):
            yield from inside(nested, f"{full_name}.{nested.name}", (*path, 3, i))

    for i, message in enumerate(file.message_type):
        yield from inside(message, f"{file.package}.{message.name}".lstrip("."), (4, i))


def _named(scope: str, kind: str, name: str, element: Message | Enum | Service) -> Claim:
    what = f"{type(element).__name__.lower()} {element.full_name}"
    return Claim(scope, kind, name, what, element.location)


def _enum(enum: Enum) -> Iterator[Claim]:
    yield _named("records", "class", enum.name, enum)
    yield _named("wire", "constant", names.numbers_constant(enum.name), enum)
    yield _named("json", "function", names.to_json_function(enum.name), enum)
    yield _named("json", "function", names.from_json_function(enum.name), enum)
    yield _named("json", "constant", names.json_names_constant(enum.name), enum)
    yield _named("json", "constant", names.json_numbers_constant(enum.name), enum)
    for value in enum.values:
        what = f"value {enum.full_name}.{value.name}"
        yield Claim(enum.full_name, "member", value.attribute, what, value.location)


def _message(message: Message) -> Iterator[Claim]:
    yield _named("records", "class", message.name, message)
    if message.error is not None:
        what = f"the exception of {message.full_name}"
        name = names.exception_class(message.name)
        yield Claim("records", "class", name, what, message.location)
    for member in message.members:
        if isinstance(member, OneOf):
            what = f"oneof {message.full_name}.{member.name}"
            yield Claim("records", "class", member.alias, what, member.location)
            for case in member.cases:
                what = f"field {message.full_name}.{case.name}"
                yield Claim("records", "class", case.case_class, what, case.location)
    if message.event is not None:
        yield _named("events", "constant", names.event_constant(message.name), message)
    yield _named("wire", "constant", names.codec_constant(message.name), message)
    yield _named("wire", "function", names.fill_function(message.name), message)
    yield _named("wire", "function", names.to_proto_function(message.name), message)
    yield _named("wire", "function", names.from_proto_function(message.name), message)
    if message.ruled:
        yield _named("wire", "function", names.check_function(message.name), message)
    yield _named("json", "function", names.to_json_function(message.name), message)
    yield _named("json", "function", names.from_json_function(message.name), message)


def _members(message: Message) -> Iterator[Claim]:
    """The attributes of a record."""
    for member in message.members:
        kind = "oneof" if isinstance(member, OneOf) else "field"
        what = f"{kind} {message.full_name}.{member.name}"
        yield Claim(message.full_name, "attribute", member.attribute, what, member.location)


def _service(service: Service) -> Iterator[Claim]:
    yield _named("bus", "class", names.handler_class(service.name), service)
    yield _named("bus", "class", names.stub_class(service.name), service)
    yield _named("bus", "constant", names.service_constant(service.name), service)
    yield _named("bus", "function", names.register_function(service.name), service)
    yield _named("mock", "class", names.mock_class(service.name), service)
    if any(method.http for method in service.methods):
        yield _named("routes", "constant", names.http_constant(service.name), service)
        yield _named("routes", "function", names.router_function(service.name), service)


def _methods(service: Service) -> Iterator[Claim]:
    for method in service.methods:
        what = f"method {service.full_name}.{method.name}"
        place = method.location
        yield Claim(service.full_name, "method", method.attribute, what, place)
        name = names.method_constant(service.name, method.name)
        yield Claim("bus", "constant", name, what, place)
        for at, _ in enumerate(method.http, 1):
            name = names.route_function(method.attribute, at)
            yield Claim(f"{service.full_name} over HTTP", "function", name, what, place)
            name = names.operation_id(service.name, method.name, at)
            yield Claim("operations", "operation", name, what, place)
