"""One HTTP/2 connection as its client sees it (RFC 9113), without a socket: bytes in, bytes and ended streams out.

It is written on frames and the package hpack rather than on the package h2, whose state ends with GOAWAY, although
streams up to the last one named there go on; for which one malformed response ends a connection, with all streams; and
which keeps back what came before an error in the same bytes. For a load all three are failures of requests that the
server has answered. h2 is the peer in the tests.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import hpack

from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.failures import CLOSED_EARLY, CLOSED_SILENT
from stressrunner.http.h2_frames import (
    MOST_PAYLOAD,
    PREFACE,
    ErrorCode,
    Flag,
    Frame,
    FrameReader,
    H2FrameType,
    ProtocolBroken,
    SettingsParameter,
    data_frame,
    error_name,
    goaway_frame,
    head_frames,
    ping_frame,
    reset_frame,
    settings_frame,
    settings_of,
    unpadded,
    window_frame,
)
from stressrunner.http.h2_stream import Stream, not_http2
from stressrunner.http.wire import ResponseLimits

__all__ = ["NO_HTTP2", "H2Session"]

NO_HTTP2 = Failure(FailureKind.PROTOCOL, "the server does not speak HTTP/2")
_CLOSED_AT_ONCE = Failure(FailureKind.RESET, "the server closed the connection before it spoke HTTP/2")

#: What may come of a stream, and of all: a load is not slowed down by its client, whose limit is that on bodies.
_INBOUND: Final = (1 << 31) - 1
_MOST_WINDOW: Final = (1 << 31) - 1
_INITIAL_WINDOW: Final = 65_535
_LAST_STREAM: Final = (1 << 31) - 1

#: Bytes of bodies that are made into frames at once, so that the network can say when it has enough.
_PUMPED: Final = 256 * 1024

#: A head so many times larger than allowed is not decoded to its end, which ends the connection.
_HUGE: Final = 16


class H2Session:
    """The state of a connection.

    `begin` takes a request, `receive` and `lost` what happens; what is to be written is in `output`, and streams that
    have ended are in `ended`. They are emptied by who uses the session. Nothing is raised.
    """

    def __init__(self, limits: ResponseLimits) -> None:
        self.output: list[bytes] = [_beginning()]
        self.opened: list[Stream] = []  #: streams whose heads are in `output`
        self.ended: list[Stream] = []
        self.answered = 0  #: streams that ended with a response
        self.is_leaving = False  #: takes no further streams: it ends with those that it has
        self.has_settings = False  #: the server has begun to speak HTTP/2
        self.failure: Failure | None = None  #: why the connection is of no use any more
        self._reader = FrameReader()
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder(limits.head_bytes * _HUGE)
        self._most_head = limits.head_bytes * _HUGE
        self._streams: dict[int, Stream] = {}
        self._given_up: set[int] = set()  # by this side: what still comes for them is not the server's fault
        self._waiting: deque[Stream] = deque()
        self._sending: deque[Stream] = deque()
        self._next = 1
        self._window = _INITIAL_WINDOW
        self._stream_window = _INITIAL_WINDOW
        self._most_streams = 1  # until the server has said how many
        self._inbound_left = _INBOUND
        self._block: _Block | None = None
        self._farewell = ""  # why the server ends the connection
        self.said_goodbye = False  #: by GOAWAY the server has said which streams it has looked at
        self._now_ns = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in flight, nor waits to be."""
        return not self._streams and not self._waiting

    def begin(self, stream: Stream, now_ns: int) -> None:
        """Send a request at that moment, or let it wait until the server takes one more."""
        self._now_ns = now_ns
        self._waiting.append(stream)
        self._open_waiting()

    def give_up(self, stream: Stream, failure: Failure) -> None:
        """End a stream before its time; it is not among those in `ended`."""
        stream.failure = failure
        if stream in self._waiting:
            self._waiting.remove(stream)
        elif self._streams.get(stream.number) is stream:
            self._reset(stream, ErrorCode.CANCEL)

    def receive(self, received: bytes, now_ns: int) -> None:
        """Take what the server sent at that moment."""
        if self.failure is not None:
            return
        self._now_ns = now_ns
        try:
            for frame in self._reader.feed(received):
                self._take(frame)
        except ProtocolBroken as error:
            if not self.has_settings:
                self._fail_all(NO_HTTP2)
            else:
                self.output.append(goaway_frame(error.code))
                self._fail_all(not_http2(error.words))
            return
        begun = self._streams.get(self._reader.begun_stream)
        if begun is not None and begun.first_byte_ns is None:
            begun.first_byte_ns = now_ns
        self._open_waiting()

    def pump(self) -> bool:
        """Make frames of what the server takes of the bodies that wait; return whether there is more for now."""
        made = 0
        for _ in range(len(self._sending)):
            stream = self._sending.popleft()
            while (unsent := stream.unsent) is not None and made < _PUMPED:
                room = min(self._window, stream.window, MOST_PAYLOAD, len(unsent))
                if room <= 0:
                    break
                made += room
                self._send_part(stream, unsent, room)
            if stream.unsent is not None:
                self._sending.append(stream)
        return made >= _PUMPED

    def lost(self, failure: Failure | None, now_ns: int) -> None:
        """Take the end of the connection: by a failure, or because the server closed it."""
        self._now_ns = now_ns
        self._fail_all(failure)

    def _fail_all(self, failure: Failure | None) -> None:
        """End all streams with a failure, without one by what each had come to."""
        if self.failure is None:
            self.failure = failure or (CLOSED_SILENT if self.has_settings else _CLOSED_AT_ONCE)
        self.is_leaving = True
        for stream in (*self._streams.values(), *self._waiting):
            if failure is None and self._farewell:
                words = f"the server ended the connection ({self._farewell}) before the response was complete"
                stream.failure = Failure(FailureKind.RESET, words)
            elif failure is None and stream.bytes_received:
                stream.failure = CLOSED_EARLY
            else:
                stream.failure = self.failure
            self._end(stream)
        self._streams.clear()
        self._waiting.clear()
        self._sending.clear()

    def _open_waiting(self) -> None:
        while self._waiting and not self.is_leaving and len(self._streams) < self._most_streams:
            self._open(self._waiting.popleft())
            if self._next > _LAST_STREAM:
                self.is_leaving = True
        if self.is_leaving:
            self._send_away(self._waiting)

    def _open(self, stream: Stream) -> None:
        stream.number, self._next = self._next, self._next + 2
        stream.window = self._stream_window
        block = self._encoder.encode(stream.fields)
        head = head_frames(stream.number, block, MOST_PAYLOAD, ends=stream.unsent is None)
        stream.bytes_sent = len(head)
        self._streams[stream.number] = stream
        self.output.append(head)
        self.opened.append(stream)
        if stream.unsent is not None:
            self._sending.append(stream)

    def _send_part(self, stream: Stream, unsent: memoryview, room: int) -> None:
        rest = unsent[room:]
        frame = data_frame(stream.number, unsent[:room], ends=not rest)
        stream.unsent = rest or None
        stream.window -= room
        self._window -= room
        stream.bytes_sent += len(frame)
        self.output.append(frame)

    def _take(self, frame: Frame) -> None:
        """Take a frame.

        Raises:
            ProtocolBroken: it may not come, or not now, or not so.
        """
        if not self.has_settings and (frame.kind != H2FrameType.SETTINGS or frame.flags & Flag.ACK):
            raise _broken("it does not begin with settings")
        if self._block is not None and frame.kind != H2FrameType.CONTINUATION:
            raise _broken("a head is interrupted")
        taker = self._takers.get(frame.kind)
        if taker is not None:
            taker(self, frame)

    def _stream_of(self, frame: Frame) -> Stream | None:
        """Return the stream of a frame, None when it has ended; its first byte has come."""
        stream = self._streams.get(frame.stream_id)
        if stream is not None:
            return stream
        if frame.stream_id % 2 == 0 or frame.stream_id >= self._next:
            raise _broken("a frame is for a stream that was not opened")
        return None

    def _count(self, stream: Stream | None, frame: Frame) -> None:
        """Count a frame of a response for its stream, or refuse it after the response."""
        if stream is None:
            if frame.stream_id not in self._given_up:
                raise ProtocolBroken(ErrorCode.STREAM_CLOSED, "something comes after the end of a response")
            return
        stream.bytes_received += frame.size
        if stream.first_byte_ns is None:
            stream.first_byte_ns = self._now_ns

    def _take_data(self, frame: Frame) -> None:
        stream = self._stream_of(frame)
        self._inbound_left -= len(frame.payload)
        if self._inbound_left < 0:
            raise ProtocolBroken(ErrorCode.FLOW_CONTROL_ERROR, "more comes than was allowed")
        if self._inbound_left < _INBOUND // 2:
            self.output.append(window_frame(0, _INBOUND - self._inbound_left))
            self._inbound_left = _INBOUND
        self._count(stream, frame)
        part = unpadded(frame)
        if stream is not None:
            stream.take_data(part, ends=bool(frame.flags & Flag.END_STREAM))
            self._conclude(stream)

    def _take_headers(self, frame: Frame) -> None:
        self._count(self._stream_of(frame), frame)
        self._block = _Block(frame.stream_id, ends=bool(frame.flags & Flag.END_STREAM))
        self._gather(self._block, unpadded(frame), frame)

    def _take_continuation(self, frame: Frame) -> None:
        block = self._block
        if block is None or block.stream_id != frame.stream_id:
            raise _broken("a head is continued that was not begun")
        self._count(self._stream_of(frame), frame)
        self._gather(block, frame.payload, frame)

    def _gather(self, block: "_Block", part: bytes, frame: Frame) -> None:
        block.octets += part
        if len(block.octets) > self._most_head:
            raise ProtocolBroken(ErrorCode.ENHANCE_YOUR_CALM, "a head does not end")
        if not frame.flags & Flag.END_HEADERS:
            return
        self._block = None
        try:
            fields = [(bytes(n), bytes(v)) for n, v in self._decoder.decode(bytes(block.octets), raw=True)]
        except hpack.OversizedHeaderListError as error:
            raise ProtocolBroken(ErrorCode.ENHANCE_YOUR_CALM, "a head does not end") from error
        except Exception as error:  # besides its own errors hpack lets out those of what it is built on
            raise ProtocolBroken(ErrorCode.COMPRESSION_ERROR, "a head cannot be decompressed") from error
        stream = self._streams.get(block.stream_id)
        if stream is not None:
            stream.take_head(fields, ends=block.ends)
            self._conclude(stream)

    def _conclude(self, stream: Stream) -> None:
        """End a stream whose response is complete, or has failed."""
        if stream.failure is not None:
            too_large = stream.failure.kind is FailureKind.TOO_LARGE
            self._reset(stream, ErrorCode.CANCEL if too_large else ErrorCode.PROTOCOL_ERROR)
        elif stream.complete:
            self.answered += 1
            if stream.unsent is None:
                del self._streams[stream.number]
            else:  # answered before it was sent: the rest is of no use
                self._reset(stream, ErrorCode.NO_ERROR)
        else:
            return
        self._end(stream)

    def _reset(self, stream: Stream, code: ErrorCode) -> None:
        self.output.append(reset_frame(stream.number, code))
        del self._streams[stream.number]
        self._given_up.add(stream.number)
        if stream in self._sending:
            self._sending.remove(stream)

    def _end(self, stream: Stream) -> None:
        stream.completed_ns = self._now_ns
        self.ended.append(stream)

    def _take_reset(self, frame: Frame) -> None:
        code = _number(frame, 4)
        stream = self._stream_of(frame)
        if stream is None:
            return
        stream.bytes_received += frame.size
        stream.refused = code == ErrorCode.REFUSED_STREAM and not stream.status
        words = f"the server reset the stream ({error_name(code)}) before the response was complete"
        stream.failure = Failure(FailureKind.RESET, words)
        self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        """End a stream that the server has ended."""
        del self._streams[stream.number]
        if stream in self._sending:
            self._sending.remove(stream)
        self._end(stream)

    def _take_goaway(self, frame: Frame) -> None:
        if frame.stream_id or len(frame.payload) < 8:
            raise _broken("the end of the connection is not as it should be")
        last = int.from_bytes(frame.payload[:4], "big") & _LAST_STREAM
        code = int.from_bytes(frame.payload[4:8], "big")
        self.is_leaving = self.said_goodbye = True
        if code or not self._farewell:
            self._farewell = error_name(code)
        words = "the server ended the connection before it had looked at the request"
        for number in [n for n in self._streams if n > last]:
            stream = self._streams[number]
            stream.refused = not stream.status
            stream.failure = Failure(FailureKind.RESET, words)
            self._drop(stream)

    def _send_away(self, waiting: deque[Stream]) -> None:
        """Let go of what was not sent: another connection may take it."""
        while waiting:
            stream = waiting.popleft()
            stream.failure = self.failure or CLOSED_SILENT
            self._end(stream)

    def _take_settings(self, frame: Frame) -> None:
        if frame.stream_id:
            raise _broken("settings are for a stream")
        settings = settings_of(frame)
        if settings is None:
            return
        if not self.has_settings:
            self.has_settings = True
            self._most_streams = _LAST_STREAM
        for setting, value in settings:
            self._set(setting, value)
        self.output.append(settings_frame())

    def _set(self, setting: int, value: int) -> None:
        if setting == SettingsParameter.HEADER_TABLE_SIZE:
            self._encoder.header_table_size = min(value, 4096)
        elif setting == SettingsParameter.MAX_CONCURRENT_STREAMS:
            self._most_streams = value
        elif setting == SettingsParameter.INITIAL_WINDOW_SIZE:
            self._shift_windows(value)
        elif (setting == SettingsParameter.ENABLE_PUSH and value) or (
            setting == SettingsParameter.MAX_FRAME_SIZE and not MOST_PAYLOAD <= value < 1 << 24
        ):
            raise _broken("a setting has a value that it may not have")

    def _shift_windows(self, value: int) -> None:
        shift, self._stream_window = value - self._stream_window, value
        for stream in self._streams.values():
            stream.window += shift
        most = max((stream.window for stream in self._streams.values()), default=value)
        if max(value, most) > _MOST_WINDOW:
            raise ProtocolBroken(ErrorCode.FLOW_CONTROL_ERROR, "a window is larger than allowed")

    def _take_window(self, frame: Frame) -> None:
        more = _number(frame, 4) & _MOST_WINDOW
        if not frame.stream_id:
            self._window += more
            if not more or self._window > _MOST_WINDOW:
                raise ProtocolBroken(ErrorCode.FLOW_CONTROL_ERROR, "a window is not as it should be")
            return
        stream = self._stream_of(frame)
        if stream is None:
            return
        stream.window += more
        if not more or stream.window > _MOST_WINDOW:
            stream.failure = not_http2("a window is not as it should be")
            self._conclude(stream)

    def _take_ping(self, frame: Frame) -> None:
        if frame.stream_id or len(frame.payload) != 8:
            raise _broken("a ping is not as it should be")
        if not frame.flags & Flag.ACK:
            self.output.append(ping_frame(frame.payload))

    def _take_priority(self, frame: Frame) -> None:
        if not frame.stream_id:
            raise _broken("a priority is for no stream")

    def _take_promise(self, _: Frame) -> None:
        raise _broken("a push was not asked for")

    _takers: ClassVar[Mapping[int, Callable[["H2Session", Frame], None]]] = {
        H2FrameType.DATA: _take_data,
        H2FrameType.HEADERS: _take_headers,
        H2FrameType.PRIORITY: _take_priority,
        H2FrameType.RST_STREAM: _take_reset,
        H2FrameType.SETTINGS: _take_settings,
        H2FrameType.PUSH_PROMISE: _take_promise,
        H2FrameType.PING: _take_ping,
        H2FrameType.GOAWAY: _take_goaway,
        H2FrameType.WINDOW_UPDATE: _take_window,
        H2FrameType.CONTINUATION: _take_continuation,
    }


class _Block:
    """The lines of a head, while they come."""

    __slots__ = ("ends", "octets", "stream_id")

    def __init__(self, stream_id: int, *, ends: bool) -> None:
        self.stream_id = stream_id
        self.ends = ends  #: no body follows
        self.octets = bytearray()


def _beginning() -> bytes:
    settings = {SettingsParameter.ENABLE_PUSH: 0, SettingsParameter.INITIAL_WINDOW_SIZE: _INBOUND}
    return PREFACE + settings_frame(settings) + window_frame(0, _INBOUND - _INITIAL_WINDOW)


def _broken(words: str) -> ProtocolBroken:
    return ProtocolBroken(ErrorCode.PROTOCOL_ERROR, words)


def _number(frame: Frame, size: int) -> int:
    if len(frame.payload) != size:
        raise ProtocolBroken(ErrorCode.FRAME_SIZE_ERROR, "a frame has another size than it must have")
    return int.from_bytes(frame.payload, "big")
