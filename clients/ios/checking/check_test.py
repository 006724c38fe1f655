"""The checks find what is wrong, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clients.ios.checking.check import problems

if TYPE_CHECKING:
    from pathlib import Path

RUNTIME = """
public struct Options {
    public init(timeout: Int32, key: String? = nil) {}
}
struct Plain {
    let name: String
    var query: [String] = []
    static let none = Plain(name: "")
}
enum Body {
    case field(String)
    case rest
}
func call<Answer>(_ plain: Plain, with options: Options) -> Answer {
    fatalError()
}
"""


def check(folder: Path, generated: str, runtime: str = RUNTIME) -> list[str]:
    (folder / "Runtime").mkdir()
    (folder / "Runtime/Runtime.swift").write_text(runtime)
    (folder / "Generated").mkdir()
    (folder / "Generated/a.swift").write_text(generated)
    return problems(folder)


@pytest.mark.parametrize(
    "text",
    [
        'let a: Plain = Plain(name: "", query: [])',
        "let a = Options(timeout: 1)",
        'let a = Options(timeout: 1, key: "x")',
        'let a: Body = .field("x")',
        "extension Plain { struct Inner {} }\nlet a: Plain.Inner = Plain.Inner()",
        "let a: Bool = call(Plain.none, with: Options(timeout: 1))",
    ],
)
def test_what_is_declared_can_be_used(tmp_path: Path, text: str) -> None:
    assert not check(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("func a() {", "1:1: this is no Swift: func a() {"),
        ("let a: Missing? = nil", "1:8: no type is called Missing"),
        ("let a: Plain.Body? = nil", "1:8: Plain holds no type Body"),
        ("let a = Missing.self", "1:9: nothing is called Missing"),
        ("let a = Options()", "1:9: nothing can be called as Options()"),
        ("let a = Options(key: nil)", "1:9: nothing can be called as Options(key:)"),
        ("let a = Plain(query: [])", "1:9: nothing can be called as Plain(query:)"),
        ("let a: Body = .field(name: 1)", "1:15: nothing can be called as field(name:)"),
        ("let a: Bool = call(Plain.none)", "1:15: nothing can be called as call(_:)"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert f"Generated/a.swift:{problem}" in check(tmp_path, text)


def test_what_is_written_by_hand_is_parsed_only(tmp_path: Path) -> None:
    assert not check(tmp_path, "", RUNTIME + "let a: URLSession? = nil\n")


def test_a_folder_without_swift_is_no_package(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path}: no Swift is there"]
