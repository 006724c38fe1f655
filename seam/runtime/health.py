"""Whether a process and those that it calls can take requests.

Source of the protocol between processes:
https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from seam.runtime.peers import Peers


class Readiness:
    """What `/readyz` answers."""

    def __init__(self, services: Sequence[str], peers: Peers) -> None:
        """Report on the hosted `services` and on `peers`; not ready until `serving` is set."""
        self._services = tuple(services)
        self._peers = peers
        self.serving = False

    async def __call__(self) -> Mapping[str, Any]:
        """The state now: `ready`, the hosted services, and each peer with its problem."""
        peers = list(self._peers)
        problems = await asyncio.gather(*(peer.problem() for peer in peers))
        return {
            "ready": self.serving and not any(problems),
            "services": self._services,
            "peers": {
                peer.name: {
                    "ready": problem is None,
                    "services": peer.services,
                    **({"problem": problem} if problem else {}),
                }
                for peer, problem in zip(peers, problems, strict=True)
            },
        }
