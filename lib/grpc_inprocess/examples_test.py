"""Services and clients in the style of gRPC's own examples run unmodified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_examples.v1 import (
    greeter_pb2,
    greeter_pb2_grpc,
    key_value_pb2,
    key_value_pb2_grpc,
    route_guide_pb2,
    route_guide_pb2_grpc,
)
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from lib.grpc_inprocess.examples import Greeter, KeyValueStore, ReadingGreeter, RouteGuide
from lib.grpc_inprocess.hosts import Host

HelloRequest = greeter_pb2.HelloRequest
RouteNote = route_guide_pb2.RouteNote


def point(latitude: int, longitude: int) -> route_guide_pb2.Point:
    return route_guide_pb2.Point(latitude=latitude, longitude=longitude)


@pytest.fixture(params=[Greeter, ReadingGreeter], ids=["generators", "read and write"])
async def greeter(host: Host, request: pytest.FixtureRequest) -> Any:
    add = partial(greeter_pb2_grpc.add_GreeterServicer_to_server, request.param())
    return greeter_pb2_grpc.GreeterStub(await host(add))


@pytest.fixture
async def guide(host: Host) -> Any:
    add = partial(route_guide_pb2_grpc.add_RouteGuideServicer_to_server, RouteGuide())
    return route_guide_pb2_grpc.RouteGuideStub(await host(add))


@pytest.fixture
async def store(host: Host) -> Any:
    add = partial(key_value_pb2_grpc.add_KeyValueStoreServicer_to_server, KeyValueStore())
    return key_value_pb2_grpc.KeyValueStoreStub(await host(add))


async def test_a_greeter_greets(greeter: Any) -> None:
    reply = await greeter.SayHello(HelloRequest(name="you"))
    assert reply.message == "Hello, you!"


async def test_replies_are_iterated_over(greeter: Any) -> None:
    replies = greeter.SayHelloRepeatedly(HelloRequest(name="you", times=3))
    assert [reply.message async for reply in replies] == [
        "Hello number 0, you!",
        "Hello number 1, you!",
        "Hello number 2, you!",
    ]


async def test_replies_are_read_one_by_one_until_the_end(greeter: Any) -> None:
    call = greeter.SayHelloRepeatedly(HelloRequest(name="you", times=2))
    read = []
    while (reply := await call.read()) is not grpc.aio.EOF:
        read.append(reply.message)
    assert read == ["Hello number 0, you!", "Hello number 1, you!"]
    assert await call.code() is grpc.StatusCode.OK


async def test_requests_come_from_a_plain_iterator(greeter: Any) -> None:
    reply = await greeter.SayHelloToAll(HelloRequest(name=name) for name in ("you", "them"))
    assert reply.message == "Hello, you and them!"


async def test_requests_come_from_an_asynchronous_generator(greeter: Any) -> None:
    async def named() -> AsyncIterator[greeter_pb2.HelloRequest]:
        for name in ("you", "them"):
            await asyncio.sleep(0.01)
            yield HelloRequest(name=name)

    reply = await greeter.SayHelloToAll(named())
    assert reply.message == "Hello, you and them!"


async def test_requests_are_written_one_by_one(greeter: Any) -> None:
    call = greeter.SayHelloToAll()
    for name in ("you", "them"):
        await call.write(HelloRequest(name=name))
    await call.done_writing()
    assert (await call).message == "Hello, you and them!"


async def test_client_and_server_take_turns(greeter: Any) -> None:
    call = greeter.SayHelloToEach()
    for name in ("you", "them"):
        await call.write(HelloRequest(name=name))
        assert (await call.read()).message == f"Hello, {name}!"
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_many_greetings_at_once_keep_their_replies_apart(greeter: Any) -> None:
    replies = await asyncio.gather(
        *(greeter.SayHello(HelloRequest(name=str(number))) for number in range(100))
    )
    assert [reply.message for reply in replies] == [f"Hello, {n}!" for n in range(100)]


async def test_the_guide_knows_a_place(guide: Any) -> None:
    feature = await guide.GetFeature(point(409146138, -746188906))
    assert feature.name == "Berkshire Valley"
    assert feature.location == point(409146138, -746188906)
    assert not (await guide.GetFeature(point(0, 0))).name


async def test_the_guide_lists_the_places_in_a_rectangle(guide: Any) -> None:
    area = route_guide_pb2.Rectangle(
        low=point(400000000, -750000000), high=point(420000000, -730000000)
    )
    names = [feature.name async for feature in guide.ListFeatures(area)]
    assert names == ["Berkshire Valley", "Patriots Path"]


async def test_the_guide_sums_up_a_route(guide: Any) -> None:
    def route() -> Iterator[route_guide_pb2.Point]:
        yield point(409146138, -746188906)
        yield point(0, 0)
        yield point(407838351, -746143763)

    summary = await guide.RecordRoute(route())
    assert (summary.point_count, summary.feature_count) == (3, 2)


async def test_the_guide_passes_notes_on(guide: Any) -> None:
    def notes() -> Iterator[route_guide_pb2.RouteNote]:
        yield RouteNote(message="first", location=point(0, 0))
        yield RouteNote(message="second", location=point(0, 1))
        yield RouteNote(message="third", location=point(0, 0))
        yield RouteNote(message="fourth", location=point(0, 0))

    passed = [note.message async for note in guide.RouteChat(notes())]
    assert passed == ["first", "first", "third"]


async def test_a_value_is_stored_and_found(store: Any) -> None:
    await store.SetRecord(key_value_pb2.SetRecordRequest(key="k", value="v"))
    call = store.GetRecord(key_value_pb2.GetRecordRequest(key="k"))
    assert (await call).value == "v"
    assert await call.trailing_metadata() == grpc.aio.Metadata(("asked-for", "k"))


async def test_a_missing_value_is_an_error_with_code_details_and_metadata(store: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await store.GetRecord(key_value_pb2.GetRecordRequest(key="k"))
    error = raised.value
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == "nothing is called k"
    assert error.trailing_metadata() == grpc.aio.Metadata(("asked-for", "k"))


async def test_a_watcher_sees_every_change_until_it_cancels(store: Any) -> None:
    watch = store.WatchRecord(key_value_pb2.WatchRecordRequest(key="k"))
    assert (await watch.read()).value == ""
    for value in ("one", "two"):
        await store.SetRecord(key_value_pb2.SetRecordRequest(key="k", value=value))
        assert (await watch.read()).value == value
    assert watch.cancel()
    assert watch.cancelled()
    with pytest.raises(asyncio.CancelledError):
        await watch.read()
    # The servicer has let go of its lock, so the value can still be set.
    await store.SetRecord(key_value_pb2.SetRecordRequest(key="k", value="three"))


async def test_a_watcher_may_stop_in_the_middle_of_its_loop(store: Any) -> None:
    watch = store.WatchRecord(key_value_pb2.WatchRecordRequest(key="k"))
    async for record in watch:
        assert record.value == ""
        break
    watch.cancel()
    await store.SetRecord(key_value_pb2.SetRecordRequest(key="k", value="v"))


async def test_rich_errors_arrive_with_their_details(host: Host) -> None:
    class Limited(Greeter):
        async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802
            detail = any_pb2.Any()
            violation = error_details_pb2.QuotaFailure.Violation(
                subject=f"name: {request.name}", description="only one greeting each"
            )
            detail.Pack(error_details_pb2.QuotaFailure(violations=[violation]))
            rich = status_pb2.Status(
                code=code_pb2.RESOURCE_EXHAUSTED, message="too many", details=[detail]
            )
            await context.abort_with_status(_to_status(rich))

    add = partial(greeter_pb2_grpc.add_GreeterServicer_to_server, Limited())
    stub: Any = greeter_pb2_grpc.GreeterStub(await host(add))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.SayHello(HelloRequest(name="you"))
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    packed = dict(raised.value.trailing_metadata())["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    arrived = status_pb2.Status.FromString(packed)
    failure = error_details_pb2.QuotaFailure()
    assert arrived.details[0].Unpack(failure)
    assert failure.violations[0].subject == "name: you"


class _Status(tuple[Any, ...], grpc.Status):
    code = property(lambda self: self[0])
    details = property(lambda self: self[1])
    trailing_metadata = property(lambda self: self[2])


def _to_status(rich: status_pb2.Status) -> grpc.Status:
    """As `grpc_status.rpc_status.to_status` does it."""
    code = next(each for each in grpc.StatusCode if each.value[0] == rich.code)
    trailing = (("grpc-status-details-bin", rich.SerializeToString()),)
    return _Status((code, rich.message, trailing))


async def test_the_standard_health_service_answers_and_is_watched(host: Host) -> None:
    servicer = health.aio.HealthServicer()
    add = partial(health_pb2_grpc.add_HealthServicer_to_server, servicer)
    stub: Any = health_pb2_grpc.HealthStub(await host(add))
    request = health_pb2.HealthCheckRequest(service="")
    assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
        await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
    watch = stub.Watch(request)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()


async def test_one_servicer_calls_another_over_the_same_channel(host: Host) -> None:
    channels: list[grpc.aio.Channel] = []

    class Polite(Greeter):
        async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802
            guide: Any = route_guide_pb2_grpc.RouteGuideStub(channels[0])
            feature = await guide.GetFeature(point(409146138, -746188906))
            return greeter_pb2.HelloReply(message=f"{request.name}: {feature.name}")

    channel = await host(
        partial(greeter_pb2_grpc.add_GreeterServicer_to_server, Polite()),
        partial(route_guide_pb2_grpc.add_RouteGuideServicer_to_server, RouteGuide()),
    )
    channels.append(channel)
    stub: Any = greeter_pb2_grpc.GreeterStub(channel)
    assert (await stub.SayHello(HelloRequest(name="you"))).message == "you: Berkshire Valley"


async def test_what_one_side_does_to_a_message_the_other_does_not_see(host: Host) -> None:
    kept: list[greeter_pb2.HelloRequest] = []
    reply = greeter_pb2.HelloReply(message="as it was")

    class Careless(Greeter):
        async def SayHello(self, request: Any, context: Any) -> Any:  # noqa: N802
            kept.append(request)
            request.name = "changed by the servicer"
            return reply

    add = partial(greeter_pb2_grpc.add_GreeterServicer_to_server, Careless())
    stub: Any = greeter_pb2_grpc.GreeterStub(await host(add))
    request = HelloRequest(name="you")
    answer = await stub.SayHello(request)
    answer.message = "changed by the client"
    assert request.name == "you"
    assert reply.message == "as it was"
    assert kept[0] is not request
