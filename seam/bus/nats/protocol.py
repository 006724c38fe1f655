"""What travels over NATS for a call: the protocol of this transport.

NATS carries messages to subjects: at most once, in order between two peers, of a bounded size (1
MiB unless its server says otherwise), and without asking whether the receiver keeps up. What a call
needs beyond that is said here. Every message is one frame, a MessagePack array that begins with the
frame's number.

**Subjects.** Calls of a contract service go to `seam.calls.<calling service>.<full name>`, with `-`
for calls from outside. A process that answers it listens there for every caller, in a queue group,
so that processes which are alike share the calls. It leaves the group while it cannot serve. Who
calls is thus a matter of the NATS server: where it lets a user publish to `seam.calls.orders.>` and
nowhere else below `seam.calls`, that user calls as `orders` or not at all. Each side also has an
inbox of its own, new with each link to the NATS server, and every call a subject in each inbox. A
caller's subject is the reply subject of `Open`, the callee's is that of `Alive`. Two systems that
must not hear each other use two accounts of NATS.

**A call** begins with `Open`: method, seconds that it may take, what travels in a `CallContext`,
and the first part of the request if there is one request. It ends with `Done`: a
`google.rpc.Status` if it failed, the metadata of the answer, and the answer if that is one message
of one part. A small call of one request and one response is these two frames and no more.

**Messages** travel in parts of at most 64 KiB, so that a large one does not hold up the others and
fits through any server. Each part has the next number of its direction: one that is missing ends
the call, so that nothing with a hole in it is ever taken for whole. `End` follows the last request;
requests without it broke off.

**Back-pressure.** Each direction of a call may have 256 KiB under way. `Credit` says how much has
been read. A part counts with its size and one KiB, and is read when its message is, or at once if
the reader waits for the rest of that message; so messages may be larger than the window.

**Alive** is how each side learns that the other is still there. A callee sends it when a call was
not answered within a few milliseconds, has more requests to come, or is answered in parts; each
side then sends it every second. It names the sender's own subject, and NATS answers it at once if
nobody listens where it goes: that is how the end of a process is noticed. Who has been silent for
five seconds is taken for gone as well, and so is, after three, a callee that was never heard of.
Either way a caller's call ends as UNAVAILABLE and a callee's handler is cancelled. The same happens
on both sides to all calls of a link that breaks, and nothing of it is sent on the next.

**Cancel** says that the caller has left. A caller that does not know the callee yet says it in
answer to the first `Alive`. Deadlines are kept by each side on its own clock.

**Ping** on a service's subject is answered by `Done`: that is how a caller learns whether it could
call. A status in it says what is wrong with the callee although it answers calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from seam.call.metadata import MetadataValue

PART: Final = 64 * 2**10
"""The largest part of a message, in bytes."""

PART_OVERHEAD: Final = 2**10
"""What a part counts beside its bytes, so that empty messages are bounded too."""

WINDOW: Final = 256 * 2**10
"""Bytes that may be under way in one direction of a call."""

LEAST_PAYLOAD: Final = 2 * PART
"""The least that a NATS server must let through: all that may travel with a call, and a part."""

INTERVAL: Final = 1.0
"""Seconds between two signs of life."""

PATIENCE: Final = 5
"""Intervals of silence after which the other side is gone."""

FIRST_PATIENCE: Final = 3
"""The same while a callee has not been heard of: it may have died before it said a word."""

NO_RESPONDERS: Final = "503"
"""Status of NATS's own answer to a message that nobody listens to."""


class Open(msgspec.Struct, array_like=True, tag=0, frozen=True):
    """Begins a call.

    Attributes:
        method: name of the method in its service.
        seconds: how long the call may take.
        data: the first part of the request; None when requests follow.
        last: whether that is all of it.
        traceparent: see `CallContext`, as for the rest.
        token: proves who asks; "" when nobody is signed in.
    """

    method: str
    seconds: float
    data: bytes | None
    last: bool
    traceparent: str
    token: str
    baggage: dict[str, str]
    metadata: dict[str, bytes]
    tracestate: str = ""


class Part(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """A part of a message.

    Attributes:
        number: counts the parts of its direction, from 0; that of `Open` is not counted.
        data: its bytes.
        last: whether it is the last of its message.
    """

    number: int
    data: bytes
    last: bool


class End(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """Follows the last request.

    Attributes:
        number: of parts before it.
    """

    number: int


class Done(msgspec.Struct, array_like=True, tag=3, frozen=True):
    """Ends a call.

    Attributes:
        number: of parts before it.
        data: the only response, if it was not sent in parts.
        status: a serialized `google.rpc.Status`; None when the call went well.
        trailers: what the callee says beside its answer.
    """

    number: int
    data: bytes | None
    status: bytes | None
    trailers: dict[str, bytes]


class Credit(msgspec.Struct, array_like=True, tag=4, frozen=True):
    """Lets the writer of a direction write more.

    Attributes:
        read: bytes that were read so far, with the overhead of their parts.
    """

    read: int


class Alive(msgspec.Struct, array_like=True, tag=5, frozen=True):
    """Says that the sender is still at work on the call."""


class Cancel(msgspec.Struct, array_like=True, tag=6, frozen=True):
    """Says that the caller has left."""


class Ping(msgspec.Struct, array_like=True, tag=7, frozen=True):
    """Asks whether a service can be called."""


OUTSIDE: Final = "-"
"""In the place of the calling service's name, when none calls."""

Frame = Open | Part | End | Done | Credit | Alive | Cancel | Ping

encode = msgspec.msgpack.Encoder().encode
"""Write a frame."""

ALIVE: Final = encode(Alive())
CANCEL: Final = encode(Cancel())
PING: Final = encode(Ping())

_decoder: Final[msgspec.msgpack.Decoder[Frame]] = msgspec.msgpack.Decoder(Frame)


def decode(data: bytes) -> Frame | None:
    """Read a frame; None when it is none, and is not for us to understand."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def metadata_to_wire(metadata: Mapping[str, MetadataValue]) -> dict[str, bytes]:
    """Metadata as it travels: texts, which are ASCII, become bytes."""
    return {
        key: value.encode("ascii") if isinstance(value, str) else value
        for key, value in metadata.items()
    }


def metadata_from_wire(received: Mapping[str, bytes]) -> dict[str, MetadataValue]:
    """The metadata that was sent: bytes under keys that end in `-bin`, texts under all others."""
    return {
        key: value if key.endswith("-bin") else value.decode("ascii", "replace")
        for key, value in received.items()
    }


def calls_subject(service: str, caller: str = "") -> str:
    """Where the calls of a contract service go.

    Args:
        service: its full name, such as `inventory.v1.Inventory`.
        caller: name of the service that calls; "" for calls from outside.
    """
    return f"seam.calls.{caller or OUTSIDE}.{service}"


def all_calls_subject(service: str) -> str:
    """Where somebody listens who answers a contract service, and the name of its queue group."""
    return calls_subject(service, "*")


def caller_of(subject: str) -> str:
    """Name of the service that makes the calls which come to a subject; "" for those outside."""
    caller = subject.split(".", 3)[2]
    return "" if caller == OUTSIDE else caller
