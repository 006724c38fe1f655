"""The targets that stand for a client in Kotlin, and for programs that use it."""

from __future__ import annotations

from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SpecialCasedDependencies,
    StringField,
    Target,
)


class KotlinClientSourcesField(MultipleSourcesField):
    """What is written by hand."""

    required = True
    uses_source_roots = False
    help = "The run-time in `src/main/kotlin`, gradle.properties, *.gradle.kts, README.md."


class KotlinClientDependencies(Dependencies):
    """The contracts that clients see; found by their names."""


class KotlinProductField(StringField):
    """What the client is of."""

    alias = "product"
    required = True
    value: str
    help = "What the client is of: 'shop' gives the class `Shop` in the package `shop`."


class KotlinGeneratorsField(SpecialCasedDependencies):
    """The code that generates."""

    alias = "generators"
    default = ("//codegen", "//codegen/client", "//codegen/kotlin", "//lib/http_status")
    help = "Targets that hold the protoc plugin `codegen.kotlin.client` and what it imports."


class KotlinLicenseField(SpecialCasedDependencies):
    """The terms under which the module is given away."""

    alias = "license"
    default = ("//:license",)
    help = "The target that holds the file LICENSE."


class KotlinCompilerField(StringField):
    """Where the compiler comes from."""

    alias = "compiler"
    required = True
    value: str
    help = (
        "A target of this folder with a package.json and its lock, which name `kotlin-compiler` "
        "and `allure-commandline`: the one has the compiler, the standard library and coroutines, "
        "the other OkHttp."
    )


class KotlinClient(Target):
    """A client for Android and the JVM, as a Gradle module and as jars."""

    alias = "kotlin_client"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        KotlinClientSourcesField,
        KotlinClientDependencies,
        KotlinCompilerField,
        KotlinGeneratorsField,
        KotlinLicenseField,
        KotlinProductField,
    )
    help = (
        "The sources in `src/main/kotlin` and those that are generated from all contracts that "
        "clients see, compiled without a warning."
    )


class KotlinProgramsSourcesField(MultipleSourcesField):
    """What is written by hand."""

    required = True
    uses_source_roots = False
    help = "Tests in `src/test/kotlin`, which see all of the client, and `example`s, which do not."


class KotlinProgramsDependencies(Dependencies):
    """The client, and targets with generated files (`*.kt.golden`) that the tests use."""


class KotlinPrograms(Target):
    """Programs that use a client: its tests and examples, as jars beside what they need."""

    alias = "kotlin_programs"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        KotlinProgramsSourcesField,
        KotlinProgramsDependencies,
    )
    help = "What a change of a contract must not break: `check` compiles it."
