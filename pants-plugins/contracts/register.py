"""Teaches Pants our contracts: what is generated from a `.proto`, and who needs what of it.

Targets:
    protobuf_source: one contract file; gives the standard `_pb2`, `_pb2_grpc` and their stubs.
    contract_records: what codegen/ writes from one contract, in the folder of the BUILD file.
    contract_mocks: the mocks of one contract, for tests.

Modules, in the order in which a contract passes through them: `targets` (what a BUILD file may
say), `modules` (which Python modules come of it, for import inference), `protoc` (the compiler
and its plugins), `generate` (the files), `dependencies` (what the files import), `check` (whether
their types are right), `check_together` (whether contracts get on with each other), `lint` (whether
they are written as one expects), `client_facing` (which of them clients are generated from).
"""

from __future__ import annotations

from collections.abc import Iterable

from pants.backend.codegen.protobuf import protobuf_dependency_inference
from pants.backend.codegen.protobuf import target_types as protobuf_target_types
from pants.backend.python.dependency_inference import module_mapper
from pants.backend.python.util_rules import pex
from pants.core.util_rules import source_files, stripped_source_files

from contracts import (
    check,
    check_together,
    client_facing,
    dependencies,
    generate,
    lint,
    modules,
    protoc,
    targets,
)


def target_types() -> Iterable[type]:
    """Give Pants the targets that BUILD files may name."""
    return (
        protobuf_target_types.ProtobufSourceTarget,
        targets.ContractRecords,
        targets.ContractMocks,
    )


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (
        *check.rules(),
        *check_together.rules(),
        *client_facing.rules(),
        *dependencies.rules(),
        *generate.rules(),
        *lint.rules(),
        *modules.rules(),
        *protoc.rules(),
        *protobuf_target_types.rules(),
        *protobuf_dependency_inference.rules(),
        *module_mapper.rules(),
        *pex.rules(),
        *source_files.rules(),
        *stripped_source_files.rules(),
    )
