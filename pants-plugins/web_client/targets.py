"""The target that stands for a client on npm."""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    StringField,
    Target,
)


class WebClientSourcesField(MultipleSourcesField):
    """What is written by hand."""

    required = True
    uses_source_roots = False
    help = "package.json with its lock, tsconfig.json, the run-time, tests, examples, README.md."


class WebClientDependencies(Dependencies):
    """The contracts that clients see; found by their names."""


class ProductField(StringField):
    """What the client is of."""

    alias = "product"
    required = True
    value: str
    help = "What the client is of: 'shop' gives `createShop`."


class WebClientGeneratorsField(SpecialCasedDependencies):
    """The code that generates."""

    alias = "generators"
    default = ("//codegen", "//codegen/client", "//codegen/typescript", "//lib/http_status")
    help = "Targets that hold the protoc plugin `codegen.typescript.client` and what it imports."


class LicenseField(SpecialCasedDependencies):
    """The terms under which the package is given away."""

    alias = "license"
    default = ("//:license",)
    help = "The target that holds the file LICENSE."


class WebClient(Target):
    """A client for browsers and Node, as an npm package."""

    alias = "web_client"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        WebClientSourcesField,
        WebClientDependencies,
        WebClientGeneratorsField,
        LicenseField,
        ProductField,
    )
    help = (
        "The sources in `src/` and those that are generated from all contracts that clients see, "
        "compiled by strict tsc and packed by npm."
    )
