"""Runs the tests of the shell and of each fragment in Node, apart from each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pants.core.goals.test import TestFieldSet, TestRequest, TestResult, TestSubsystem
from pants.engine.addresses import Address
from pants.engine.process import ProcessCacheScope
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import WrappedTarget, WrappedTargetRequest
from pants.option.option_types import SkipOption
from pants.option.subsystem import Subsystem
from pants.util.logging import LogLevel

from storefront.targets import FragmentSourcesField, ShellSourcesField
from storefront.tree import ShellRequest, TreeRequest
from web_client.npm import NpmRequest, NpmResult
from web_client.sources import WebClientSources

BUNDLED = "bundled"
# A test that never ends fails.
TIMEOUT_MS = 60_000


class StorefrontTests(Subsystem):
    """Settings of the section `[storefront-test]` in pants.toml."""

    options_scope = "storefront-test"
    name = "storefront-test"
    help = "Tests of a storefront's shell and fragments."

    skip = SkipOption("test")


@dataclass(frozen=True)
class ShellTestFieldSet(TestFieldSet):
    """A shell, which has tests."""

    required_fields = (ShellSourcesField,)

    sources: ShellSourcesField


@dataclass(frozen=True)
class FragmentTestFieldSet(TestFieldSet):
    """A fragment, which has tests."""

    required_fields = (FragmentSourcesField,)

    sources: FragmentSourcesField


class ShellTestRequest(TestRequest):
    """Asks for the tests of a shell."""

    tool_subsystem = StorefrontTests
    field_set_type = ShellTestFieldSet


class FragmentTestRequest(TestRequest):
    """Asks for the tests of a fragment."""

    tool_subsystem = StorefrontTests
    field_set_type = FragmentTestFieldSet


@dataclass(frozen=True)
class UnitsRequest:
    """Asks for the tests in the folder of a target.

    Attributes:
        tested: whose tests they are.
        shell: the shell that it is, or stands on.
        fragments: itself, where it is a fragment.
    """

    tested: Address
    shell: Address
    fragments: tuple[Address, ...] = ()


@rule(desc="Test a part of a storefront", level=LogLevel.DEBUG)
async def run_units(request: UnitsRequest, settings: TestSubsystem) -> TestResult:
    """Bundle the tests with what they test, and have Node run them beside a page."""
    tree = await Get(WebClientSources, TreeRequest(request.shell, request.fragments))
    shell, tested = request.shell.spec_path, request.tested.spec_path
    result = await Get(
        NpmResult,
        NpmRequest(
            tree,
            (
                f"node {shell}/bundle_tests.js {tested} {BUNDLED}",
                f"node --test --test-timeout={TIMEOUT_MS} --enable-source-maps"
                f" --import ./{shell}/src/testing/dom.ts {BUNDLED}/**/*.js",
            ),
            (),
            f"Run tests of {request.tested}",
            ProcessCacheScope.PER_SESSION if settings.force else ProcessCacheScope.SUCCESSFUL,
        ),
    )
    return TestResult.from_fallible_process_result(result.process, request.tested, settings.output)


@rule
async def test_shell(batch: ShellTestRequest.Batch[ShellTestFieldSet, Any]) -> TestResult:
    """Test a shell without any fragment."""
    address = batch.single_element.address
    return await Get(TestResult, UnitsRequest(address, address))


@rule
async def test_fragment(batch: FragmentTestRequest.Batch[FragmentTestFieldSet, Any]) -> TestResult:
    """Test a fragment without the others, whose changes are none of its business."""
    address = batch.single_element.address
    wrapped = await Get(WrappedTarget, WrappedTargetRequest(address, description_of_origin="test"))
    shell = await Get(Address, ShellRequest(wrapped.target))
    return await Get(TestResult, UnitsRequest(address, shell, (address,)))


def rules() -> Iterable:
    """Give Pants the rules of this module."""
    return (*collect_rules(), *ShellTestRequest.rules(), *FragmentTestRequest.rules())
