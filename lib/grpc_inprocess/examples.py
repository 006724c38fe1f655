"""Services as teams that use gRPC have them, in the style of gRPC's own examples.

They know nothing of this repository's runtime. Both styles of streaming are here: `async`
generators, and the older one of `context.read()` and `context.write(…)`.
"""

# ruff: noqa: ARG002, N802  # names and arguments of methods are gRPC's
from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_examples.v1 import (
    greeter_pb2,
    greeter_pb2_grpc,
    key_value_pb2,
    key_value_pb2_grpc,
    route_guide_pb2,
    route_guide_pb2_grpc,
)

Context = grpc.aio.ServicerContext[Any, Any]


class Greeter(greeter_pb2_grpc.GreeterServicer):
    """Greets, with generators."""

    async def SayHello(
        self, request: greeter_pb2.HelloRequest, context: Context
    ) -> greeter_pb2.HelloReply:
        """Greets once."""
        return greeter_pb2.HelloReply(message=f"Hello, {request.name}!")

    async def SayHelloRepeatedly(
        self, request: greeter_pb2.HelloRequest, context: Context
    ) -> AsyncIterator[greeter_pb2.HelloReply]:
        """Greets as often as it is asked to."""
        for number in range(request.times):
            yield greeter_pb2.HelloReply(message=f"Hello number {number}, {request.name}!")

    async def SayHelloToAll(
        self, request_iterator: AsyncIterator[greeter_pb2.HelloRequest], context: Context
    ) -> greeter_pb2.HelloReply:
        """Greets all with one reply."""
        names = [request.name async for request in request_iterator]
        return greeter_pb2.HelloReply(message=f"Hello, {' and '.join(names)}!")

    async def SayHelloToEach(
        self, request_iterator: AsyncIterator[greeter_pb2.HelloRequest], context: Context
    ) -> AsyncIterator[greeter_pb2.HelloReply]:
        """Greets everyone as they are named."""
        async for request in request_iterator:
            yield greeter_pb2.HelloReply(message=f"Hello, {request.name}!")


class ReadingGreeter(greeter_pb2_grpc.GreeterServicer):
    """Greets in the same words, with `read` and `write`."""

    async def SayHello(
        self, request: greeter_pb2.HelloRequest, context: Context
    ) -> greeter_pb2.HelloReply:
        """Greets once."""
        return greeter_pb2.HelloReply(message=f"Hello, {request.name}!")

    # Stubs know generators only; this style is older.
    async def SayHelloRepeatedly(  # type: ignore[override]
        self, request: greeter_pb2.HelloRequest, context: Context
    ) -> None:
        """Greets as often as it is asked to."""
        for number in range(request.times):
            message = f"Hello number {number}, {request.name}!"
            await context.write(greeter_pb2.HelloReply(message=message))

    async def SayHelloToAll(self, _: object, context: Context) -> greeter_pb2.HelloReply:
        """Greets all with one reply."""
        names = []
        while (request := await context.read()) is not grpc.aio.EOF:
            names.append(request.name)
        return greeter_pb2.HelloReply(message=f"Hello, {' and '.join(names)}!")

    async def SayHelloToEach(  # type: ignore[override]
        self, _: object, context: Context
    ) -> None:
        """Greets everyone as they are named."""
        while (request := await context.read()) is not grpc.aio.EOF:
            await context.write(greeter_pb2.HelloReply(message=f"Hello, {request.name}!"))


FEATURES = (
    ("Berkshire Valley", 409146138, -746188906),
    ("Patriots Path", 407838351, -746143763),
    ("Far away", 600000000, 100000000),
)


class RouteGuide(route_guide_pb2_grpc.RouteGuideServicer):
    """Knows some places."""

    def __init__(self) -> None:
        """Begin without notes."""
        self._features = {
            (latitude, longitude): route_guide_pb2.Feature(
                name=name,
                location=route_guide_pb2.Point(latitude=latitude, longitude=longitude),
            )
            for name, latitude, longitude in FEATURES
        }

    async def GetFeature(
        self, request: route_guide_pb2.Point, context: Context
    ) -> route_guide_pb2.Feature:
        """The place at a point."""
        known = self._features.get((request.latitude, request.longitude))
        return known or route_guide_pb2.Feature(location=request)

    async def ListFeatures(
        self, request: route_guide_pb2.Rectangle, context: Context
    ) -> AsyncIterator[route_guide_pb2.Feature]:
        """The places in a rectangle."""
        low, high = request.low, request.high
        for (latitude, longitude), feature in self._features.items():
            inside = low.latitude <= latitude <= high.latitude
            if inside and low.longitude <= longitude <= high.longitude:
                yield feature

    async def RecordRoute(
        self, request_iterator: AsyncIterator[route_guide_pb2.Point], context: Context
    ) -> route_guide_pb2.RouteSummary:
        """Sums up a route."""
        summary = route_guide_pb2.RouteSummary()
        async for point in request_iterator:
            summary.point_count += 1
            summary.feature_count += (point.latitude, point.longitude) in self._features
        return summary

    async def RouteChat(
        self, request_iterator: AsyncIterator[route_guide_pb2.RouteNote], context: Context
    ) -> AsyncIterator[route_guide_pb2.RouteNote]:
        """Answer each note with those left at its place before."""
        notes: list[route_guide_pb2.RouteNote] = []
        async for note in request_iterator:
            for earlier in notes:
                if earlier.location == note.location:
                    yield earlier
            notes.append(note)


class KeyValueStore(key_value_pb2_grpc.KeyValueStoreServicer):
    """Keeps values in memory."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._values: dict[str, str] = {}
        self._changed: dict[str, asyncio.Condition] = defaultdict(asyncio.Condition)

    async def GetRecord(
        self, request: key_value_pb2.GetRecordRequest, context: Context
    ) -> key_value_pb2.GetRecordResponse:
        """Give a value; what was asked for comes back in the trailing metadata."""
        context.set_trailing_metadata((("asked-for", request.key),))
        if request.key not in self._values:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"nothing is called {request.key}")
        return key_value_pb2.GetRecordResponse(value=self._values[request.key])

    async def SetRecord(
        self, request: key_value_pb2.SetRecordRequest, context: Context
    ) -> key_value_pb2.SetRecordResponse:
        """Set a value, and wake those who watch it."""
        condition = self._changed[request.key]
        async with condition:
            self._values[request.key] = request.value
            condition.notify_all()
        return key_value_pb2.SetRecordResponse()

    async def WatchRecord(
        self, request: key_value_pb2.WatchRecordRequest, context: Context
    ) -> AsyncIterator[key_value_pb2.WatchRecordResponse]:
        """Send a value now and whenever it is set."""
        condition = self._changed[request.key]
        async with condition:
            while True:
                yield key_value_pb2.WatchRecordResponse(value=self._values.get(request.key, ""))
                await condition.wait()
