"""The target that stands for a Swift package."""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    StringField,
    Target,
)


class SwiftClientSourcesField(MultipleSourcesField):
    """What is written by hand."""

    required = True
    uses_source_roots = False
    help = "Package.swift, the run-time, tests, an example, README.md."


class SwiftClientDependencies(Dependencies):
    """The contracts that clients see; found by their names."""


class ProductField(StringField):
    """What the client is of."""

    alias = "product"
    required = True
    value: str
    help = "What the client is of: 'shop' gives `Shop` and `ShopError`."


class GeneratedField(StringField):
    """Where generated files go."""

    alias = "generated"
    required = True
    value: str
    help = "The folder of generated files, relative to that of the BUILD file."


class VersionField(StringField):
    """Which version is packed."""

    alias = "version"
    required = True
    value: str
    help = "The version, which the file that is packed has in its name."


class SwiftClientGeneratorsField(SpecialCasedDependencies):
    """The code that generates."""

    alias = "generators"
    default = ("//codegen", "//codegen/client", "//codegen/swift", "//lib/http_status")
    help = "Targets that hold the protoc plugin `codegen.swift.client` and what it imports."


class CheckersField(SpecialCasedDependencies):
    """The code that checks."""

    alias = "checkers"
    default = ("//clients/ios/checking",)
    help = "Targets that hold `clients.ios.checking.check` and what it imports."


class LicenseField(SpecialCasedDependencies):
    """The terms under which the package is given away."""

    alias = "license"
    default = ("//:license",)
    help = "The target that holds the file LICENSE."


class SwiftClient(Target):
    """A client for Apple's platforms and Linux, as a Swift package."""

    alias = "swift_client"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        SwiftClientSourcesField,
        SwiftClientDependencies,
        SwiftClientGeneratorsField,
        CheckersField,
        LicenseField,
        ProductField,
        GeneratedField,
        VersionField,
    )
    help = (
        "The sources of the folder and those that are generated from all contracts that clients "
        "see, parsed by `check` and packed as an archive by `package`."
    )
