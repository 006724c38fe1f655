"""The targets that a storefront consists of."""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    Target,
)


class StorefrontSourcesField(MultipleSourcesField):
    """What is written by hand."""

    required = True
    uses_source_roots = False
    help = "package.json with its lock, tsconfig.json, build.js and the sources of the shell."


class StorefrontDependencies(Dependencies):
    """The fragments and the client; found by their kinds."""


class StorefrontClientField(SpecialCasedDependencies):
    """The client by which fragments call services."""

    alias = "client"
    default = ("//clients/web:package",)
    help = "The `web_client` that fragments import as `shop-client`."


class Storefront(Target):
    """Static files that browsers show."""

    alias = "storefront"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        StorefrontSourcesField,
        StorefrontDependencies,
        StorefrontClientField,
    )
    help = (
        "The shell and all fragments, type-checked together and built into the resources of the "
        "Python package that is named like the target."
    )


class FragmentSourcesField(MultipleSourcesField):
    """A fragment's sources."""

    default = ("*.ts", "*.tsx", "*.css")
    uses_source_roots = False
    help = "TypeScript and style sheets."


class FragmentDependencies(Dependencies):
    """Nothing: a fragment sees the client and the shell alone."""


class StorefrontFragment(Target):
    """The part of the storefront that belongs to a service."""

    alias = "storefront_fragment"
    core_fields = (*COMMON_TARGET_FIELDS, FragmentSourcesField, FragmentDependencies)
    help = "The pages and parts of pages of the service in whose folder it is."
