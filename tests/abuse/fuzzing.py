"""Asks a running shop what its OpenAPI document allows and forbids, and judges the answers by it.

Schemathesis makes the requests: examples at the edges of each schema, such as it allows and such as
it does not, random ones, methods that a path does not have, and sequences in which one answer's ids
are the next request's. The same seed makes the same requests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.schemas import BaseSchema

EXAMPLES: Final = 20
"""Random requests for each operation, besides those at the edges of its schemas."""

REFUSALS: Final = ("400", "401", "403", "404", "405", "409", "413", "414", "415", "426", "431")
"""With what a request is answered that the document forbids."""

LEAVES: Final = "/v1/users/me"
STREAMS: Final = ":stream$"
"""Streams of somebody who is signed in last for minutes."""


@dataclass
class Fuzzed:
    """What came of a run.

    Attributes:
        findings: what was answered that should not be, in words.
        answers: how often each operation was answered with each status.
    """

    findings: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)


def schema_of(document: Mapping[str, Any], url: str, token: str = "") -> BaseSchema:
    """What schemathesis knows of a shop.

    Args:
        document: the OpenAPI document.
        url: where the shop is.
        token: of who asks; nobody in particular when empty.
    """
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "base-url": url,
            "workers": 1,
            "continue-on-failure": True,
            "request-timeout": 20,
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "auth": {"auto-signup": False},
            "generation": {
                "max-examples": EXAMPLES,
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
            },
            "checks": {
                # Typed errors refuse what only a service can know, such as how large its pages are.
                "positive_data_acceptance": {"enabled": False},
                "negative_data_rejection": {"expected-statuses": list(REFUSALS)},
            },
            "operations": [
                {
                    # Who opens no WebSocket is told so before anybody asks for a token.
                    "include-path-regex": ":talk$",
                    "checks": {"missing_required_header": {"enabled": False}},
                },
                {
                    # ProtoJSON takes an enum by its number too, which the document does not say.
                    "include-path-regex": "^/v1/home$",
                    "checks": {"negative_data_rejection": {"enabled": False}},
                },
            ],
        }
    )
    return schemathesis.openapi.from_dict(dict(document), config=config)


def part_of(document: Mapping[str, Any], operations: str) -> dict[str, Any]:
    """A document of fewer operations.

    What a schema of schemathesis includes does not leave out the rest, where it has rules of its
    own for some operations; so the document itself is cut.

    Args:
        document: the OpenAPI document.
        operations: a regular expression for those to keep, such as `[A-Z]+ /v1/inventory`. Answers
            tell what a path allows, so that its operations stay together.
    """
    kept = {
        path: {
            verb: operation
            for verb, operation in verbs.items()
            if re.fullmatch(operations, f"{verb.upper()} {path}")
        }
        for path, verbs in document["paths"].items()
    }
    return {**document, "paths": {path: verbs for path, verbs in kept.items() if verbs}}


def fuzz(schema: BaseSchema) -> Fuzzed:
    """Ask for everything that a schema describes."""
    fuzzed = Fuzzed()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _judge(event, fuzzed)
        elif isinstance(event, events.NonFatalError):
            fuzzed.findings.append(f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return fuzzed


def _judge(event: events.ScenarioFinished, fuzzed: Fuzzed) -> None:
    recorder = event.recorder
    for identifier, exchange in recorder.interactions.items():
        asked = f"{exchange.request.method} {exchange.request.uri}"
        if exchange.response is None:
            fuzzed.findings.append(f"{asked}: no answer")
            continue
        # In sequences the label is that of the sequence.
        operation = recorder.cases[identifier].value.operation.label
        fuzzed.answers[operation, exchange.response.status_code] += 1
        if exchange.response.status_code >= 500:
            fuzzed.findings.append(f"{asked}: {exchange.response.status_code}")
    for identifier, checks in recorder.checks.items():
        exchange = recorder.interactions[identifier]
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info.failure
                fuzzed.findings.append(
                    f"{exchange.request.method} {exchange.request.uri}: {failure.title}:"
                    f" {failure.message}"
                )
