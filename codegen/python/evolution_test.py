"""Events that an older contract wrote are read by a newer one, and the other way round.

An event lies in an outbox, a stream or a list of dead letters while services are deployed anew, so
a record's codec must read what another version of its contract wrote. Two contracts stand for the
versions here. They differ in all that docs/contracts.md lets an event's contract differ in.
"""

from __future__ import annotations

import importlib
import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.testing.compiling import compile_contracts
from codegen.testing.random_messages import fill
from seam.contract import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from google.protobuf.message import Message

HEADER = """\
syntax = "proto3";
package {package};
import "contract/v1/options.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/timestamp.proto";
"""

OLD = """
message OrderPlaced {
  option (contract.v1.event) = {key: "order_id"};
  string order_id = 1;
  google.protobuf.Timestamp placed = 2 [(google.api.field_behavior) = REQUIRED];
  State state = 3;
  repeated Line lines = 4;
  map<string, State> states = 5;
  oneof paid { string card = 6; int64 points = 7; }
  string remark = 8;
  optional int32 discount = 9;
}
message Line { string sku = 1; int32 quantity = 2; }
enum State { STATE_UNSPECIFIED = 0; STATE_OPEN = 1; }
"""

# Left out are `remark` and `discount`; `order_id` has another name.
NEW = """
message OrderPlaced {
  option (contract.v1.event) = {key: "id"};
  reserved 8, 9;
  string id = 1;
  google.protobuf.Timestamp placed = 2 [(google.api.field_behavior) = REQUIRED];
  State state = 3;
  repeated Line lines = 4;
  map<string, State> states = 5;
  oneof paid { string card = 6; int64 points = 7; Voucher voucher = 20; }
  string shop = 21;
  optional string note = 22;
  Voucher gift = 23;
  repeated State past = 24;
  map<string, Voucher> vouchers = 25;
  google.protobuf.Timestamp wanted = 26;
}
message Line { string sku = 1; int32 quantity = 2; double weight = 3; }
message Voucher { string code = 1; }
enum State { STATE_UNSPECIFIED = 0; STATE_OPEN = 1; STATE_SHIPPED = 2; }
"""

# What an event's contract must not come to say: a field is there that was not always there.
STRICTER = """
message OrderPlaced {
  option (contract.v1.event) = {key: "order_id"};
  string order_id = 1;
  google.protobuf.Timestamp placed = 2 [(google.api.field_behavior) = REQUIRED];
  optional string shop = 21 [(google.api.field_behavior) = REQUIRED];
}
"""


@dataclass
class Version:
    """What is generated from one version of the contract."""

    records: ModuleType
    codec: Any

    def event(self, seed: int) -> Message:
        """A random event, as this version writes it."""
        message: Any = self.codec.message_type()
        fill(random.Random(seed), message)
        if not message.HasField("placed"):
            message.placed.GetCurrentTime()
            message.placed.nanos = 0
        return message  # type: ignore[no-any-return]

    def known(self, data: bytes) -> Message:
        """What this version knows of an event, as Protocol Buffers itself reads it."""
        message: Message = self.codec.message_type.FromString(data)
        message.DiscardUnknownFields()
        return message


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Version]]:
    sources, out = tmp_path_factory.mktemp("contracts"), tmp_path_factory.mktemp("generated")
    texts = {"old": OLD, "new": NEW, "stricter": STRICTER}
    for version, text in texts.items():
        path = sources / f"evolving_{version}/v1/messagebus.proto"
        path.parent.mkdir(parents=True)
        path.write_text(HEADER.format(package=f"evolving_{version}.v1") + text)
    contracts = [f"evolving_{version}/v1/messagebus.proto" for version in texts]
    compile_contracts(sources, out, [*contracts, "contract/v1/options.proto"])
    sys.path.insert(0, str(out))
    found: dict[str, Version] = {}
    for version in texts:
        module = f"evolving_{version}.v1.messagebus"
        described = importlib.import_module(f"{module}_events")
        found[version] = Version(importlib.import_module(module), described.ORDER_PLACED.codec)
    yield found
    sys.path.remove(str(out))


@pytest.mark.parametrize(("writer", "reader"), [("old", "new"), ("new", "old")])
@given(seed=st.integers(min_value=0, max_value=2**64))
def test_what_both_versions_know_is_read_by_the_other(
    versions: dict[str, Version], writer: str, reader: str, seed: int
) -> None:
    data = versions[writer].event(seed).SerializeToString()
    codec = versions[reader].codec
    record = codec.decode(data)
    assert codec.to_proto(record) == versions[reader].known(data)


@given(seed=st.integers(min_value=0, max_value=2**64))
def test_an_old_event_tells_a_newer_version_all_that_was_not_left_out(
    versions: dict[str, Version], seed: int
) -> None:
    old, new = versions["old"], versions["new"]
    event: Any = old.event(seed)
    event.ClearField("remark")
    event.ClearField("discount")
    record = new.codec.decode(event.SerializeToString())
    assert old.codec.message_type.FromString(new.codec.encode(record)) == event


def test_a_new_field_is_absent_or_its_default_in_an_old_event(
    versions: dict[str, Version],
) -> None:
    new = versions["new"]
    record = new.codec.decode(versions["old"].event(1).SerializeToString())
    assert (record.shop, record.note, record.gift, record.wanted) == ("", None, None, None)
    assert (record.past, dict(record.vouchers)) == ((), {})


def test_a_new_value_of_an_enum_keeps_its_number_where_it_is_not_known(
    versions: dict[str, Version],
) -> None:
    event: Any = versions["new"].event(1)
    event.state = 2
    state = versions["old"].codec.decode(event.SerializeToString()).state
    assert (int(state), state.is_known) == (2, False)


def test_a_new_case_of_a_oneof_is_no_case_where_it_is_not_known(
    versions: dict[str, Version],
) -> None:
    event: Any = versions["new"].event(1)
    event.voucher.code = "SPRING"
    assert versions["old"].codec.decode(event.SerializeToString()).paid is None


def test_a_field_that_becomes_required_refuses_the_events_of_before(
    versions: dict[str, Version],
) -> None:
    data = versions["old"].event(1).SerializeToString()
    with pytest.raises(InvalidField) as refused:
        versions["stricter"].codec.decode(data)
    assert refused.value.path == "shop"


def test_a_field_that_is_no_longer_required_is_refused_by_subscribers_of_before(
    versions: dict[str, Version],
) -> None:
    event: Any = versions["stricter"].event(1)
    event.ClearField("placed")
    with pytest.raises(InvalidField) as refused:
        versions["old"].codec.decode(event.SerializeToString())
    assert refused.value.path == "placed"
