from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.payments.simulator.serving import Simulator

CHARGE = {"currency": "EUR", "minorUnits": 500, "reference": "order 7"}


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": "Bearer the-key"}
    async with httpx.AsyncClient(base_url=simulator.url, headers=headers) as opened:
        yield opened


async def test_it_is_steered_and_audited_over_http(client: httpx.AsyncClient) -> None:
    behaviour = {"seed": 7, "rates": {"twice": 1}, "declineAbove": 500}
    steered = await client.put("/simulator/behaviour", json=behaviour)
    assert steered.status_code == 200
    assert (await client.get("/simulator/behaviour")).json() == steered.json()
    assert steered.json()["rates"] == {"twice": 1.0}

    charged = await client.post("/v1/charges", json=CHARGE, headers={"idempotency-key": "k"})
    assert (charged.status_code, charged.json()["status"]) == (200, "charged")
    richer = {**CHARGE, "minorUnits": 501}
    declined = await client.post("/v1/charges", json=richer, headers={"idempotency-key": "l"})
    assert (declined.status_code, declined.json()["status"]) == (402, "declined")

    books = (await client.get("/simulator/ledger")).json()
    assert books["held"] == [{"currency": "EUR", "minorUnits": 500, "charges": 1}]
    assert [(each["key"], each["status"]) for each in books["entries"]] == [
        ("k", "charged"),
        ("l", "declined"),
    ]
    assert [each["chargeRequests"] for each in books["entries"]] == [2, 2]


async def test_what_it_does_not_understand_is_refused(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "k"}
    nameless = await client.post("/v1/charges", json=CHARGE)
    assert (nameless.status_code, nameless.json()) == (
        400,
        {"detail": "expected a header Idempotency-Key"},
    )
    assert (await client.post("/v1/voids")).status_code == 400
    for body in ({}, {**CHARGE, "tip": 1}, {**CHARGE, "minorUnits": "x"}):
        refused = await client.post("/v1/charges", json=body, headers=key)
        assert refused.status_code == 400
    refused = await client.put("/simulator/behaviour", json={"rates": {"drop": 2}})
    assert refused.status_code == 400
    assert "Expected `float` <= 1.0" in refused.json()["detail"]
    assert (await client.get("/simulator/ledger")).json() == {"held": [], "entries": []}
