from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.auth import ContractPolicy
from seam.auth.shop_issuer import GET_KEYS
from seam.call import ANONYMOUS, CallContext, Principal
from seam.call.principal import claimed
from seam.contract import Code, StatusError
from seam.contract.access import NOBODY, Access
from seam.testing.issuer import TestIssuer

ISSUER = TestIssuer()
AGENT, CUSTOMER = ISSUER.token("amy", ["agent"]), ISSUER.token("zoe", ["customer"])

EVERYONE = Access(public=True)
SIGNED_IN = Access(signed_in=True)
AGENTS = Access(roles=frozenset({"agent", "clerk"}))
ORDERS = Access(callers=frozenset({"orders"}))


async def decided(access: Access, principal: Principal, caller: str = "") -> CallContext | Code:
    """What a call comes to: itself as it is let in, or the code that it is refused with."""
    admission = ContractPolicy(ISSUER.authenticator()).admission(replace(GET_KEYS, access=access))
    call = CallContext(math.inf, principal=principal, caller=caller)
    try:
        return admission.at_once(call) or await admission.after_verifying(call)
    except StatusError as error:
        return error.code


@pytest.mark.parametrize(
    ("access", "principal", "caller", "outcome"),
    [
        (EVERYONE, ANONYMOUS, "", ""),
        (EVERYONE, claimed(CUSTOMER), "", "zoe"),
        (EVERYONE, claimed("nonsense"), "", Code.UNAUTHENTICATED),
        (EVERYONE, ANONYMOUS, "orders", ""),
        (SIGNED_IN, ANONYMOUS, "", Code.UNAUTHENTICATED),
        (SIGNED_IN, ANONYMOUS, "orders", Code.UNAUTHENTICATED),
        (SIGNED_IN, claimed(CUSTOMER), "", "zoe"),
        (AGENTS, ANONYMOUS, "", Code.UNAUTHENTICATED),
        (AGENTS, claimed(CUSTOMER), "", Code.PERMISSION_DENIED),
        (AGENTS, claimed(AGENT), "", "amy"),
        (AGENTS, claimed("nonsense"), "", Code.UNAUTHENTICATED),
        (ORDERS, ANONYMOUS, "", Code.PERMISSION_DENIED),
        (ORDERS, claimed(AGENT), "", Code.PERMISSION_DENIED),
        (ORDERS, ANONYMOUS, "Orders", Code.PERMISSION_DENIED),
        (ORDERS, ANONYMOUS, "payments", Code.PERMISSION_DENIED),
        (ORDERS, ANONYMOUS, "orders", ""),
        (ORDERS, claimed(CUSTOMER), "orders", "zoe"),
        (ORDERS, claimed("nonsense"), "orders", Code.UNAUTHENTICATED),
        (NOBODY, ANONYMOUS, "", Code.PERMISSION_DENIED),
        (NOBODY, claimed(AGENT), "orders", Code.PERMISSION_DENIED),
    ],
)
async def test_a_call_is_decided_by_the_contract(
    access: Access, principal: Principal, caller: str, outcome: str | Code
) -> None:
    found = await decided(access, principal, caller)
    assert (found.principal.subject if isinstance(found, CallContext) else found) == outcome


@given(st.text(), st.frozensets(st.text()), st.sampled_from(["", CUSTOMER]))
async def test_what_a_principal_says_of_itself_counts_for_nothing(
    subject: str, roles: frozenset[str], token: str
) -> None:
    told = Principal(subject, roles | {"agent"}, token)
    found = await decided(EVERYONE, told)
    assert isinstance(found, CallContext)
    assert found.principal.subject == ("zoe" if token else "")
    refused = await decided(AGENTS, told)
    assert refused is (Code.PERMISSION_DENIED if token else Code.UNAUTHENTICATED)


async def test_a_verified_principal_passes_as_it_is() -> None:
    authenticator = ISSUER.authenticator()
    admission = ContractPolicy(authenticator).admission(replace(GET_KEYS, access=AGENTS))
    call = CallContext(math.inf, principal=await authenticator.verify(AGENT))
    assert admission.at_once(call) is call
