"""Which Python modules each contract gives, so that imports of them become dependencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pants.backend.codegen.protobuf.target_types import AllProtobufTargets, ProtobufSourceField
from pants.backend.python.dependency_inference.module_mapper import (
    FirstPartyPythonMappingImpl,
    FirstPartyPythonMappingImplMarker,
    ModuleProvider,
    ModuleProviderType,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.core.util_rules.stripped_source_files import StrippedFileName, StrippedFileNameRequest
from pants.engine.addresses import Address, AddressInput
from pants.engine.collection import Collection
from pants.engine.rules import Get, MultiGet, collect_rules, rule
from pants.engine.target import AllTargets, Target, WrappedTarget, WrappedTargetRequest
from pants.engine.unions import UnionRule
from pants.source.source_root import SourceRoot, SourceRootRequest
from pants.util.frozendict import FrozenDict
from pants.util.logging import LogLevel

from contracts.targets import ContractField, MocksSourcesField, RecordsSourcesField

# From `M`, the module of a contract's records. Not every contract gives every module: one without
# HTTP rules has no routes. To offer them all the same does no harm, since nothing imports them.
RECORDS_SUFFIXES = ("", "_wire", "_json", "_bus", "_events", "_asyncapi", "_routes", "_openapi")
MOCKS_SUFFIXES = ("_mock",)
PROTOBUF_SUFFIXES = ("_pb2", "_pb2_grpc")


class ContractError(Exception):
    """Says what is wrong with a contract or with a BUILD file that names one."""


@dataclass(frozen=True)
class GeneratedContract:
    """A target that stands for generated code, with the names that Python and protoc use."""

    address: Address
    contract: Address
    # As contracts import each other: `inventory/v1/api.proto`.
    proto: str
    # Of the records: `services.inventory.records.api`.
    module: str
    # The folder that modules are relative to: `.`, or `protos`.
    source_root: str
    suffixes: tuple[str, ...]


class AllGeneratedContracts(Collection[GeneratedContract]):
    """Every `contract_records` and `contract_mocks` of the repository."""


@dataclass(frozen=True)
class RecordsModules:
    """Where the records of each contract are: `inventory/v1/api.proto` to its module."""

    by_proto: FrozenDict[str, str]


@dataclass(frozen=True)
class GeneratedContractRequest:
    """Asks for the names that belong to one target."""

    target: Target


@rule
async def name_generated_contract(request: GeneratedContractRequest) -> GeneratedContract:
    """Works out the module of a target from its folder and the name of its contract's file."""
    target = request.target
    contract = await Get(
        Address,
        AddressInput,
        AddressInput.parse(
            target[ContractField].value,
            relative_to=target.address.spec_path,
            description_of_origin=f"the `contract` field of {target.address}",
        ),
    )
    wrapped = await Get(
        WrappedTarget,
        WrappedTargetRequest(contract, description_of_origin=f"the contract of {target.address}"),
    )
    if not wrapped.target.has_field(ProtobufSourceField):
        raise ContractError(
            f"{target.address}: its contract {contract} is a `{wrapped.target.alias}`; "
            "expected a `protobuf_source`"
        )
    proto, source_root = await MultiGet(
        Get(
            StrippedFileName, StrippedFileNameRequest(wrapped.target[ProtobufSourceField].file_path)
        ),
        Get(SourceRoot, SourceRootRequest, SourceRootRequest.for_target(target)),
    )
    folder = PurePath(target.address.spec_path).relative_to(source_root.path)
    return GeneratedContract(
        address=target.address,
        contract=contract,
        proto=proto.value,
        module=".".join((*folder.parts, PurePath(proto.value).stem)),
        source_root=source_root.path,
        suffixes=RECORDS_SUFFIXES if target.has_field(RecordsSourcesField) else MOCKS_SUFFIXES,
    )


@rule(desc="Find what is generated from contracts", level=LogLevel.DEBUG)
async def find_generated_contracts(targets: AllTargets) -> AllGeneratedContracts:
    """Collect the targets that stand for generated code."""
    return AllGeneratedContracts(
        await MultiGet(
            Get(GeneratedContract, GeneratedContractRequest(target))
            for target in targets
            if target.has_field(RecordsSourcesField) or target.has_field(MocksSourcesField)
        )
    )


@rule
def find_records_modules(generated: AllGeneratedContracts) -> RecordsModules:
    """Maps contracts to the modules of their records, of which each has one."""
    homes: dict[str, GeneratedContract] = {}
    for each in generated:
        if each.suffixes != RECORDS_SUFFIXES:
            continue
        other = homes.setdefault(each.proto, each)
        if other is not each:
            raise ContractError(
                f"{other.address} and {each.address} both hold the records of {each.proto}; "
                "keep one, or values of one would not be values of the other"
            )
    return RecordsModules(FrozenDict({proto: each.module for proto, each in homes.items()}))


def check_modules(modules: Mapping[str, Sequence[ModuleProvider]]) -> None:
    """Refuse contracts whose modules would lie in one place.

    The plugins in codegen/ refuse what they can see, which is one contract and what it imports.
    """
    packages: dict[str, tuple[str, ModuleProvider]] = {}
    for module, providers in modules.items():
        parts = module.split(".")
        for at in range(1, len(parts)):
            packages.setdefault(".".join(parts[:at]), (module, providers[0]))
    for module, (first, *others) in modules.items():
        for other in others:
            raise ContractError(
                f"{first.addr} and {other.addr} both give the module {module}; "
                "call one of the contracts differently"
            )
        if module in packages:
            inner, other = packages[module]
            raise ContractError(
                f"{first.addr} gives the module {module}, which hides {inner} of {other.addr}; "
                "call one of the contracts differently"
            )


class ContractModulesMarker(FirstPartyPythonMappingImplMarker):
    """Makes Pants ask the rule below, among those of its other backends."""


@rule(desc="Map contracts to Python modules", level=LogLevel.DEBUG)
async def map_contracts_to_modules(
    _: ContractModulesMarker,
    generated: AllGeneratedContracts,
    contracts: AllProtobufTargets,
    python_setup: PythonSetup,
) -> FirstPartyPythonMappingImpl:
    """Tell import inference which target each generated module comes from."""
    protos = await MultiGet(
        Get(StrippedFileName, StrippedFileNameRequest(contract[ProtobufSourceField].file_path))
        for contract in contracts
    )
    modules: defaultdict[str, list[ModuleProvider]] = defaultdict(list)
    for contract, proto in zip(contracts, protos):
        stem = ".".join(PurePath(proto.value).with_suffix("").parts)
        for suffix in PROTOBUF_SUFFIXES:
            modules[stem + suffix].append(ModuleProvider(contract.address, ModuleProviderType.IMPL))
    for each in generated:
        for suffix in each.suffixes:
            modules[each.module + suffix].append(
                ModuleProvider(each.address, ModuleProviderType.IMPL)
            )
    check_modules(modules)
    return FirstPartyPythonMappingImpl.create({python_setup.default_resolve: modules})


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (
        *collect_rules(),
        UnionRule(FirstPartyPythonMappingImplMarker, ContractModulesMarker),
    )
