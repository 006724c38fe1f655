"""The targets of a Python client."""

from __future__ import annotations

from pants.engine.target import COMMON_TARGET_FIELDS, Dependencies, StringField, Target

from contracts.targets import ContractSourcesField, GeneratorsField


class PythonClientDependencies(Dependencies):
    """What the generated code imports; found by reading it."""


class PythonClientSourcesField(ContractSourcesField):
    """What is generated from the contracts that clients see."""


class PythonClient(Target):
    """The generated half of a Python client."""

    alias = "python_client"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        PythonClientDependencies,
        GeneratorsField,
        PythonClientSourcesField,
    )
    help = (
        "Records, errors and calls generated from all contracts that clients see (`api.proto`), "
        "as a package of this folder that is named like the target."
    )


class ProjectField(StringField):
    """What the wheel says of itself."""

    alias = "project"
    default = "pyproject.toml"
    value: str
    help = (
        "A pyproject.toml of this folder, with the table `project`: name, version, description, "
        "readme, license-files, requires-python, dependencies and optional-dependencies."
    )


class ClientWheelDependencies(Dependencies):
    """What the wheel holds, with all that this needs of the repository."""


class ClientWheel(Target):
    """A wheel."""

    alias = "client_wheel"
    core_fields = (*COMMON_TARGET_FIELDS, ClientWheelDependencies, ProjectField)
    help = "A wheel for `dist/`, of Python that stands on nothing of the repository but itself."
