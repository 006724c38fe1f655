from __future__ import annotations

from base64 import b64decode

from seam.persistence.migrations.scram import scram_verifier


def test_a_verifier_is_that_of_the_published_example() -> None:
    """Of RFC 7677, section 3: its client proof is what follows from this stored key."""
    verifier = scram_verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert verifier == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
