"""The targets that stand for generated code.

Neither has files of its own: a folder that holds nothing but a BUILD file becomes a package.
"""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    AsyncFieldMixin,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    StringField,
    Target,
)


class ContractField(StringField, AsyncFieldMixin):
    """The contract that code is generated from."""

    alias = "contract"
    required = True
    value: str
    help = "Address of the `protobuf_source` to generate from, e.g. '//protos/inventory/v1:api'."


class GeneratorsField(SpecialCasedDependencies):
    """The code that generates.

    It is a dependency that `--changed-dependents` follows and that artifacts do not hold: generated
    code is another when its generator changes, but does not import it.
    """

    alias = "generators"
    default = ("//codegen", "//lib/http_status")
    help = (
        "Targets that hold the protoc plugins, run as `python -m codegen.python.<plugin>`, "
        "and what these import."
    )


class ContractDependencies(Dependencies):
    """What generated code imports; found by reading it."""


class ContractSourcesField(MultipleSourcesField):
    """No files: they are generated."""

    # Pants' own idiom for a field that BUILD files are not to set.
    alias = "_sources"
    expected_num_files = 0


class RecordsSourcesField(ContractSourcesField):
    """What the plugins for production code write."""


class MocksSourcesField(ContractSourcesField):
    """What the plugin for mocks writes."""


class ContractRecords(Target):
    """What production code uses of a contract."""

    alias = "contract_records"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        ContractField,
        ContractDependencies,
        GeneratorsField,
        RecordsSourcesField,
    )
    help = (
        "Records, converters, bus interface, events and HTTP routes generated from a contract, as "
        "modules of this folder that are named after the contract's file."
    )


class ContractMocks(Target):
    """What tests use of a contract besides its records."""

    alias = "contract_mocks"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        ContractField,
        ContractDependencies,
        GeneratorsField,
        MocksSourcesField,
    )
    help = "Mocks generated from a contract, as a module next to its records. Never in an artifact."
