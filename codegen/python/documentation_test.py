"""`docs/contracts.md` says what is so."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from codegen.plugin import respond
from codegen.python import bus, records
from codegen.testing.compiling import PLUGINS, ProtocError, compile_contracts, request_for
from codegen.testing.public_methods import with_public_methods
from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs/contracts.md").read_text()

HEADER = """\
package page.v1;
import "contract/v1/options.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/any.proto";
import "google/protobuf/descriptor.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/rpc/status.proto";
"""


def rows(section: str) -> list[tuple[str, ...]]:
    """The rows of the table in a section."""
    text = re.split("\n##+ ", PAGE.partition(f"\n## {section}\n")[2])[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines[2:]]
    return [tuple(cell.replace("\\|", "|") for cell in row) for row in cells]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def declarations(cell: str) -> Iterator[str]:
    """The declarations of a row: the one that is written out, and the types beside it."""
    first, *others = codes(cell)
    yield first
    was = re.match(r"(google\.protobuf\.)?\w+", first)
    assert was is not None
    for other in others:
        yield first.replace(was[0], f"{was[1] or ''}{other}", 1)


FIELDS = [
    (declaration, *(codes(cell)[0] for cell in cells))
    for first, *cells in rows("Fields")
    for declaration in declarations(first)
]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Modules with a message for each field of the page."""
    sources, out = tmp_path_factory.mktemp("contracts"), tmp_path_factory.mktemp("generated")
    text = f'syntax = "proto3";\n{HEADER}message Book {{ string isbn = 1; }}\n'
    text += "enum Genre { GENRE_UNSPECIFIED = 0; GENRE_FICTION = 1; }\n"
    for at, (declaration, *_) in enumerate(FIELDS):
        text += f"message Field{at} {{ {declaration} }}\n"
    (sources / "documented.proto").write_text(text)
    compile_contracts(sources, out, ["documented.proto"], plugins=["records"])
    compile_contracts(sources, out, ["contract/v1/options.proto"], plugins=[])
    sys.path.insert(0, str(out))
    yield out
    sys.path.remove(str(out))


@pytest.mark.parametrize("at", range(len(FIELDS)), ids=[declaration for declaration, *_ in FIELDS])
def test_a_field_is_in_python_and_json_what_the_page_says(generated: Path, at: int) -> None:
    _, annotation, written = FIELDS[at]
    record_type = vars(import_module("documented"))[f"Field{at}"]
    ((name, found),) = record_type.__annotations__.items()
    assert found == annotation
    to_from_json: Any = import_module("documented_json")
    codec = vars(import_module("documented_wire"))[f"FIELD{at}"]
    json_name = "ISBN" if name == "isbn" else name
    value = {json_name: json.loads(written)}
    record = getattr(to_from_json, f"field{at}_from_json")(value)
    assert record != (record_type(**{name: None}) if "None" in annotation else None)
    again = codec.decode(codec.encode(record))
    assert again == record
    assert getattr(to_from_json, f"field{at}_to_json")(again) == value


RULES = [tuple(codes(cell)[0] for cell in row) for row in rows("Rules")]


@pytest.mark.parametrize("at", range(len(RULES)), ids=[declaration for declaration, *_ in RULES])
def test_a_rule_accepts_and_refuses_what_the_page_says(ruled: Path, at: int) -> None:
    declaration, accepted, refused, reason = RULES[at]
    name = re.match(r".*?(\w+) = 1", declaration)
    assert name is not None
    read = getattr(import_module("ruled_json"), f"rule{at}_from_json")
    check = vars(import_module("ruled_wire"))[f"RULE{at}"].check
    check(read({name[1]: json.loads(accepted)}))
    record = read({name[1]: json.loads(refused)})
    with pytest.raises(InvalidField) as found:
        check(record)
    assert str(found.value) == reason


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Modules with a message for each rule of the page."""
    sources, out = tmp_path_factory.mktemp("contracts"), tmp_path_factory.mktemp("generated")
    text = f'syntax = "proto3";\n{HEADER}'
    for at, (declaration, *_) in enumerate(RULES):
        text += f"message Rule{at} {{ {declaration} }}\n"
    (sources / "ruled.proto").write_text(text)
    compile_contracts(sources, out, ["ruled.proto"], plugins=["records"])
    compile_contracts(sources, out, ["contract/v1/options.proto"], plugins=[])
    sys.path.insert(0, str(out))
    yield out
    sys.path.remove(str(out))


EVENTS = [(codes(first)[0], codes(second)[0]) for first, second in rows("Events")]


@pytest.fixture(scope="module")
def event(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """What is generated from the event that the page declares, by name."""
    sources, out = tmp_path_factory.mktemp("contracts"), tmp_path_factory.mktemp("generated")
    (declared,) = re.findall(r"```proto\n(.*?)```", PAGE, re.DOTALL)
    (sources / "page").mkdir()
    (sources / "page/messagebus.proto").write_text(f'syntax = "proto3";\n{HEADER}{declared}')
    compile_contracts(
        sources, out, ["page/messagebus.proto", "contract/v1/options.proto"], plugins=PLUGINS
    )
    sys.path.insert(0, str(out))
    records_module, events_module = "page.messagebus", "page.messagebus_events"
    yield {**vars(import_module(records_module)), **vars(import_module(events_module))}
    sys.path.remove(str(out))


@pytest.mark.parametrize(("expression", "value"), EVENTS)
def test_an_event_is_in_python_what_the_page_says(
    event: dict[str, object], expression: str, value: str
) -> None:
    assert eval(expression, event) == eval(value, event)


ACCESS = [(codes(first)[0], codes(last)[0]) for first, _, last in rows("Services")]


@pytest.mark.parametrize(("said", "written"), ACCESS)
def test_access_is_in_python_what_the_page_says(tmp_path: Path, said: str, written: str) -> None:
    option = f"option (contract.v1.method) = {{{said}}};"
    text = f"service S {{ rpc Get(A) returns (A) {{ {option} }} }}\n"
    (tmp_path / "page.proto").write_text(
        f'syntax = "proto3";\n{HEADER}message A {{ A a = 1; }}\n{text}'
    )
    (output,) = respond(request_for(tmp_path, ["page.proto"]), bus.generate).file
    assert f"    access={written},\n" in output.content


REFUSED = [codes(first)[0] for first, _ in rows("What is refused")]


@pytest.mark.parametrize("declaration", REFUSED)
def test_what_the_page_says_is_refused_is_refused(tmp_path: Path, declaration: str) -> None:
    if declaration.startswith(("syntax", "edition")):
        text = f"{declaration}\npackage page.v1;\n"
    else:
        service = "" if "service" in declaration else "\nservice Other {}"
        text = f'syntax = "proto3";\n{HEADER}message A {{ A a = 1; }}\n{declaration}{service}\n'
    (tmp_path / "page.proto").write_text(with_public_methods(text))
    if declaration.startswith("edition"):
        with pytest.raises(ProtocError, match="editions"):
            compile_contracts(tmp_path, tmp_path / "out", ["page.proto"], python=False)
        return
    response = respond(request_for(tmp_path, ["page.proto"]), records.generate)
    (said,) = response.error.splitlines()
    line = 1 if declaration.startswith("syntax") else HEADER.count("\n") + 3
    is_beside = declaration.startswith("extend")
    assert re.match(rf"page\.proto:{line + is_beside}:\d+: .", said), said


def test_the_page_lists_much_and_its_header_alone_is_accepted(tmp_path: Path) -> None:
    assert len(FIELDS) > 35
    assert len(ACCESS) == 4
    assert len(RULES) == 8
    assert len(REFUSED) > 30
    text = f'syntax = "proto3";\n{HEADER}message A {{ A a = 1; }}\nservice Other {{}}\n'
    (tmp_path / "page.proto").write_text(text)
    assert not respond(request_for(tmp_path, ["page.proto"]), bus.generate).error
