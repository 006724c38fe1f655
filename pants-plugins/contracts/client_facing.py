"""Finds the contracts that clients see, from which all clients are generated."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pants.backend.codegen.protobuf.target_types import AllProtobufTargets, ProtobufSourceField
from pants.engine.addresses import Address
from pants.engine.collection import DeduplicatedCollection
from pants.engine.rules import collect_rules, rule

CLIENT_FACING = "api.proto"


class ClientContracts(DeduplicatedCollection[Address]):
    """The contracts that clients see, in the order of their addresses."""

    sort_input = True


@rule
def find_client_contracts(contracts: AllProtobufTargets) -> ClientContracts:
    """Collect the contracts that clients see, by the names of their files."""
    return ClientContracts(
        each.address
        for each in contracts
        if PurePath(each[ProtobufSourceField].value or "").name == CLIENT_FACING
    )


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return collect_rules()
