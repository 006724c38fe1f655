"""What every BUILD file may call besides Pants' own targets."""

TESTS = ("**/*_test.py",)
TEST_SUPPORT = ("**/conftest.py",)
STUBS = ("types-grpcio", "types-protobuf")
DATA = ("**/*.csv", "**/*.json", "**/*.sql", "**/*.toml")


def python_tree(**tests: object) -> None:
    """Owns all Python under the folder, and the data beside it.

    New modules and folders need no BUILD file of their own. Tests sit beside what they test, in
    files named `*_test.py`; what they share is in `conftest.py`. Data goes where the folder's code
    goes. Keyword arguments are fields of the tests.
    """
    python_sources(
        sources=["**/*.py", *("!" + pattern for pattern in TESTS + TEST_SUPPORT)],
        dependencies=[":data"],
    )
    resources(name="data", sources=list(DATA))
    python_test_utils(name="test_support", sources=list(TEST_SUPPORT))
    python_tests(name="test", sources=list(TESTS), **tests)


def python_binary(name: str, entry_point: str) -> None:
    """Packs `entry_point` with what it imports into `dist/<folder>/<name>.pex`.

    The file needs nothing but Python 3.11. It unpacks itself when it is run first.
    """
    pex_binary(
        name=name,
        entry_point=entry_point,
        output_path=build_file_dir().as_posix() + "/" + name + ".pex",
        execution_mode="venv",
        dependencies=["!!//3rdparty/python:default#" + stub for stub in STUBS],
    )
