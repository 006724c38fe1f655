"""The targets that a storefront consists of."""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    Target,
)


class ShellSourcesField(MultipleSourcesField):
    """What is written by hand of the shell."""

    required = True
    uses_source_roots = False
    help = (
        "package.json with its lock, tsconfig.json, tsconfig.test.json, what bundles, and the "
        "sources of the shell with their tests."
    )


class ShellDependencies(Dependencies):
    """The contracts that clients see; found by their names."""


class ShellClientField(SpecialCasedDependencies):
    """The client by which fragments call services."""

    alias = "client"
    default = ("//clients/web:package",)
    help = "The `web_client` that fragments import as `shop-client`."


class StorefrontShell(Target):
    """What stands around the pages of a storefront, and what they are made of."""

    alias = "storefront_shell"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        ShellSourcesField,
        ShellDependencies,
        ShellClientField,
    )
    help = "The shell, which fragments stand on. `test` runs its tests in Node."


class StorefrontShellField(SpecialCasedDependencies):
    """The shell that something stands on."""

    alias = "shell"
    default = ("//clients/storefront:shell",)
    help = "The `storefront_shell` that it stands on."


class FragmentSourcesField(MultipleSourcesField):
    """A fragment's sources."""

    default = ("*.ts", "*.tsx", "*.css")
    uses_source_roots = False
    help = "TypeScript and style sheets; tests are in `*.test.ts` and `*.test.tsx`."


class FragmentDependencies(Dependencies):
    """The shell: a fragment sees that and the client alone."""


class StorefrontFragment(Target):
    """The part of the storefront that belongs to a service."""

    alias = "storefront_fragment"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        FragmentSourcesField,
        FragmentDependencies,
        StorefrontShellField,
    )
    help = (
        "The pages and parts of pages of the service in whose folder it is, and their tests, which "
        "`test` runs in Node."
    )


class StorefrontSourcesField(MultipleSourcesField):
    """What builds a storefront."""

    required = True
    uses_source_roots = False
    help = "build.js."


class StorefrontDependencies(Dependencies):
    """The shell, and all fragments; found by their kind."""


class Storefront(Target):
    """Static files that browsers show."""

    alias = "storefront"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        StorefrontSourcesField,
        StorefrontDependencies,
        StorefrontShellField,
    )
    help = (
        "The shell and all fragments, type-checked together and built into the resources of the "
        "Python package that is named like the target."
    )
