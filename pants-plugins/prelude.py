"""What every BUILD file may call besides Pants' own targets."""

TESTS = ("**/*_test.py",)
TEST_SUPPORT = ("**/conftest.py",)
REVISIONS = ("**/migrations/versions/*.py",)
STUBS = ("types-grpcio", "types-protobuf", "types-pyyaml")
DATA = ("**/*.csv", "**/*.json", "**/*.sql", "**/*.toml")

SHOP_ARTIFACTS = (
    "director:monolith",
    "services/authentication:service",
    "services/customer_chat:service",
    "services/home:service",
    "services/inventory:service",
    "services/notifications:service",
    "services/orders:service",
    "services/payments:service",
    "services/search:service",
    "services/shopping_cart:service",
)
"""What tests of the whole shop run: packed, as it is deployed."""


def python_tree(
    apart: tuple[str, ...] = (),
    *,
    whole_system: bool = False,
    together: tuple[str, ...] = (),
    source_dependencies: tuple[str, ...] = (),
    **tests: object,
) -> None:
    """Owns all Python under the folder, and the data beside it.

    New modules and folders need no BUILD file of their own. Tests sit beside what they test, in
    files named `*_test.py`; what they share is in `conftest.py`. Data goes where the folder's code
    goes, and so do revisions of tables, which are found by their numbers and imported by nobody.
    Folders that are named `apart` have a BUILD file of their own. Other keyword arguments are
    fields of the tests.

    A few test files that are neighbours share a process, since it takes longer to start one than to
    run most of them; those that start `whole_system`s have one each, side by side, except for files
    which do so `together`. What code needs without importing it is among `source_dependencies`.
    """
    shared = {"batch_compatibility_tag": build_file_dir().as_posix()}
    elsewhere = ["!" + folder + "/**" for folder in apart]
    python_sources(
        sources=[
            "**/*.py",
            *("!" + pattern for pattern in TESTS + TEST_SUPPORT + REVISIONS),
            *elsewhere,
        ],
        dependencies=[":data", ":revisions", *source_dependencies],
    )
    python_sources(name="revisions", sources=[*REVISIONS, *elsewhere])
    resources(name="data", sources=[*DATA, *elsewhere])
    python_test_utils(name="test_support", sources=[*TEST_SUPPORT, *elsewhere])
    others = ["!" + file for file in together]
    alone = {} if whole_system else shared
    python_tests(name="test", sources=[*TESTS, *elsewhere, *others], **alone, **tests)
    if together:
        python_tests(name="together", sources=together, **shared, **tests)


def python_binary(name: str, entry_point: str) -> None:
    """Pack `entry_point` with what it imports into `dist/<folder>/<name>.pex`.

    The file needs nothing but Python 3.11. It unpacks itself when it is run first.
    """
    pex_binary(
        name=name,
        entry_point=entry_point,
        output_path=build_file_dir().as_posix() + "/" + name + ".pex",
        execution_mode="venv",
        # Lets an image unpack it where nothing can be written later.
        include_tools=True,
        dependencies=["!!//3rdparty/python:default#" + stub for stub in STUBS],
    )
