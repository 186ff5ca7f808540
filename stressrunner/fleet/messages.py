"""The protocol between a coordinator and a generator: frames of JSON over one pipe in each direction.

    generator                coordinator
    Hello           ->
                    <-       Assignment        what to compile: the whole scenario, and which shard of it
    Ready           ->                         or Failed, when that is impossible here
                    <-       Ping              as often as the coordinator likes before the start
    Pong            ->
                    <-       Start             begin in so many seconds
                    <-       Poll(seq)         at least once per lease, or the generator stops by itself
    Busy            ->                         at once, when it is still at its answer to the poll before
    Update(seq)      ->                         what was counted since the update before
    Over            ->                         the load has ended: poll now, for what is left
                    <-       Stop              cut the load off; `Over` follows
    Update(seq, is_final)            when there is more than one message can hold, several of them, the last one final

A generator that is asked for the update it gave last gives the same one again; asking for the next one says that the
last has arrived. So a question can be repeated after any doubt, and nothing is lost or counted twice. Nothing in a
message is a moment of anybody's clock: times are distances from the beginning of the load.

A frame is its length in four bytes, the most significant first, and that many bytes of JSON.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

__all__ = [
    "HEADER_BYTES",
    "VERSION",
    "Assignment",
    "Busy",
    "Failed",
    "Hello",
    "Message",
    "Over",
    "Ping",
    "Poll",
    "Pong",
    "ProtocolError",
    "Ready",
    "Start",
    "Stop",
    "Update",
    "decoded",
    "frame_of",
    "length_of",
]

VERSION = 2  #: of this protocol; both sides must have the same one
HEADER_BYTES = 4
_LARGEST_FRAME = 1 << 30
_HISTOGRAM_DEPTH = 6  #: of the figures of one histogram in an update: delta, all series, one of them, its parts, its times, one of them
_json = json.JSONEncoder(separators=(",", ":")).encode


class ProtocolError(ValueError):
    """What came over the pipe is not what this protocol allows there."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A generator is there."""

    version: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a generator is to do: the scenario as checked by the coordinator, and the shard of its plan."""

    value: Mapping[str, Any] = field(repr=False)  #: of the Document; may hold secrets
    rows: Mapping[str, Any] = field(repr=False)  #: of its feeders, or where they are: see scenario.row_file
    base_url: str  #: where the target really is
    seed: int
    run_id: str
    uuid_salt: str
    index: int  #: of the shard
    count: int  #: of the shards
    lease_s: float  #: without a poll for so long the generator stops
    captures: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: what `setup` has captured
    cookies: list[Any] = field(default_factory=list, repr=False)  #: what it was given
    samples: list[str] | None = None  #: folder and form, where every sample is to be written


@dataclass(frozen=True, slots=True)
class Ready:
    """The plan is compiled."""

    transport: str  #: that will send the requests
    loop: str  #: package of the event loop


@dataclass(frozen=True, slots=True)
class Failed:
    """The generator cannot go on."""

    reason: str
    remedy: str  #: what can be done about it


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer at once, so that the way there and back can be timed."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin the load."""

    in_s: float  #: after this message arrived


@dataclass(frozen=True, slots=True)
class Poll:
    """Give the update of this number; everything before it has arrived."""

    seq: int  #: from 0


@dataclass(frozen=True, slots=True)
class Busy:
    """The generator is alive, and has not got round to the answer that it was asked for before; that will come."""


@dataclass(frozen=True, slots=True)
class Update:
    """What was counted since the update before."""

    seq: int
    is_final: bool  #: nothing comes after it
    delta: Any = field(repr=False)  #: see metrics.wire
    phases: list[int]  #: that are running, of each workload one; empty once the last one has ended
    spans_ns: list[list[int]]  #: each phase so far: its index, beginning and end, after the load began
    failure: str  #: why the load cut itself off, in one sentence; empty when it did not
    limit_hit: str = ""  #: the hard limit that cut the load off, in one sentence; empty when none did


@dataclass(frozen=True, slots=True)
class Over:
    """The load has ended."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Cut the load off now."""


Message: TypeAlias = (
    Hello | Assignment | Ready | Failed | Ping | Pong | Start | Poll | Busy | Update | Over | Stop
)

_KINDS: Mapping[str, type[Message]] = {
    kind.__name__.lower(): kind
    for kind in (Hello, Assignment, Ready, Failed, Ping, Pong, Start, Poll, Busy, Update, Over, Stop)
}


def frame_of(message: Message) -> bytes:
    """Return the frame of a message.

    It is written piece by piece, since nothing else runs in this process while one piece is: an update of many endpoints
    as a whole would keep the load from running for ten milliseconds, though a thread writes it.
    """
    members = {each.name: getattr(message, each.name) for each in fields(message)}
    kind = type(message).__name__.lower()
    content = "".join(_pieces({"kind": kind, **members}, _HISTOGRAM_DEPTH)).encode("ascii")
    return len(content).to_bytes(HEADER_BYTES, "big") + content


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """Yield JSON, what stands at a depth in one piece each."""
    if depth and isinstance(value, dict) and value:
        before = "{"
        for key, inner in value.items():
            yield f"{before}{_json(str(key))}:"
            yield from _pieces(inner, depth - 1)
            before = ","
        yield "}"
    elif depth and isinstance(value, list) and value:
        before = "["
        for inner in value:
            yield before
            yield from _pieces(inner, depth - 1)
            before = ","
        yield "]"
    else:
        yield _json(value)


def length_of(header: bytes) -> int:
    """Return how many bytes follow a frame's header.

    Raises:
        ProtocolError: more than any message has, so this is no header.
    """
    length = int.from_bytes(header, "big")
    if length > _LARGEST_FRAME:
        raise ProtocolError(f"a frame of {length:,} bytes is none of this protocol's")
    return length


def decoded(content: bytes) -> Message:
    """Return the message in a frame, without its header.

    Raises:
        ProtocolError: there is none in it.
    """
    try:
        members = json.loads(content)
        return _KINDS[members.pop("kind")](**members)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ProtocolError(f"{content[:60]!r} is no message: {error!r}") from error
