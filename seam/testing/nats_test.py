"""A NATS server that tests stop and start."""

from __future__ import annotations

import nats
from nats.js.api import StorageType, StreamConfig

from seam.testing.nats import NatsServer


async def test_a_server_that_was_killed_comes_back_at_the_same_place_with_what_it_held(
    stoppable_nats: NatsServer,
) -> None:
    client = await nats.connect(stoppable_nats.url)
    stream = client.jetstream()
    await stream.add_stream(
        StreamConfig(name="kept", subjects=["kept.>"], storage=StorageType.FILE)
    )
    assert (await stream.publish("kept.one", b"1")).seq == 1
    stoppable_nats.kill()
    await client.close()
    stoppable_nats.start()
    client = await nats.connect(stoppable_nats.url)
    assert (await client.jetstream().get_msg("kept", 1)).data == b"1"
    await client.close()


async def test_the_server_of_the_test_run_answers(nats_server: NatsServer) -> None:
    client = await nats.connect(nats_server.url)
    await client.flush()
    await client.close()
