"""HTTP/2 frames (RFC 9113, 4 and 6): bytes as they come made into frames, and frames made into bytes."""

import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

__all__ = [
    "MOST_PAYLOAD",
    "PREFACE",
    "ErrorCode",
    "Flag",
    "Frame",
    "FrameReader",
    "H2FrameType",
    "ProtocolBroken",
    "SettingsParameter",
    "data_frame",
    "error_name",
    "goaway_frame",
    "head_frames",
    "ping_frame",
    "reset_frame",
    "settings_frame",
    "settings_of",
    "unpadded",
    "window_frame",
]

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

#: The largest payload that may come: what holds unless a larger one was allowed, which is not done here.
MOST_PAYLOAD: Final = 1 << 14
_HEAD_BYTES: Final = 9
_31_BITS: Final = (1 << 31) - 1


class H2FrameType(IntEnum):
    """What a frame is; others than these are ignored (RFC 9113, 4.1)."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Flag(IntEnum):
    """What is said of a frame; ACK is END_STREAM for SETTINGS and PING."""

    END_STREAM = 0x1
    ACK = 0x1
    END_HEADERS = 0x4
    PADDED = 0x8
    PRIORITY = 0x20


class SettingsParameter(IntEnum):
    """What one side says of how it wants to be spoken to."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(IntEnum):
    """Why a stream or a connection is ended (RFC 9113, 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Frame(NamedTuple):
    """A frame as it came."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return _HEAD_BYTES + len(self.payload)


class ProtocolBroken(Exception):
    """The peer has broken the protocol in a way that ends the connection."""

    def __init__(self, code: ErrorCode, words: str) -> None:
        """`words` say what was wrong, the same each time it happens."""
        self.code = code
        self.words = words
        super().__init__(f"{words} ({code.name})")


class FrameReader:
    """Makes frames of bytes as they come."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete now.

        Raises:
            ProtocolBroken: a frame is larger than allowed; those before it were yielded.
        """
        buffer = self._buffer + received if self._buffer else received
        at, end = 0, len(buffer)
        try:
            while end - at >= _HEAD_BYTES:
                high, low, kind, flags, stream_id = struct.unpack_from(">BHBBI", buffer, at)
                length = high << 16 | low
                if length > MOST_PAYLOAD:
                    raise ProtocolBroken(ErrorCode.FRAME_SIZE_ERROR, "a frame is larger than allowed")
                following = at + _HEAD_BYTES + length
                if following > end:
                    break
                payload = buffer[at + _HEAD_BYTES : following]
                at = following
                yield Frame(kind, flags, stream_id & _31_BITS, payload)
        finally:
            self._buffer = buffer[at:]

    @property
    def begun_stream(self) -> int:
        """The stream of the frame that has come in part; 0 when that cannot be told, or it is none's."""
        if len(self._buffer) < _HEAD_BYTES:
            return 0
        return int.from_bytes(self._buffer[5:9], "big") & _31_BITS


def unpadded(frame: Frame) -> bytes:
    """Return what DATA or HEADERS carry, without padding and priority.

    Raises:
        ProtocolBroken: there is more padding than frame, or less frame than it must have.
    """
    payload, padding, at = frame.payload, 0, 0
    if frame.flags & Flag.PADDED:
        if not payload:
            raise ProtocolBroken(ErrorCode.FRAME_SIZE_ERROR, "a frame is too short for its padding")
        padding, at = payload[0], 1
    if frame.kind == H2FrameType.HEADERS and frame.flags & Flag.PRIORITY:
        at += 5
    end = len(payload) - padding
    if end < at:
        raise ProtocolBroken(ErrorCode.PROTOCOL_ERROR, "a frame has more padding than content")
    return payload[at:end]


def error_name(code: int) -> str:
    """Return the name of an error code, or its number where it has none."""
    try:
        return ErrorCode(code).name
    except ValueError:
        return f"error {code}"


def head_frames(stream_id: int, block: bytes, most_payload: int, *, ends: bool) -> bytes:
    """Return HEADERS and the CONTINUATION that a block of header lines needs; `ends` when no body follows."""
    parts = [block[at : at + most_payload] for at in range(0, len(block), most_payload)] or [b""]
    last = len(parts) - 1
    frames = []
    for number, part in enumerate(parts):
        flags = Flag.END_HEADERS if number == last else 0
        if number == 0 and ends:
            flags |= Flag.END_STREAM
        kind = H2FrameType.CONTINUATION if number else H2FrameType.HEADERS
        frames.append(_frame(kind, flags, stream_id, part))
    return b"".join(frames)


def data_frame(stream_id: int, part: bytes | memoryview, *, ends: bool) -> bytes:
    """Return a part of a body; `ends` with the last one."""
    return _frame(H2FrameType.DATA, Flag.END_STREAM if ends else 0, stream_id, part)


def reset_frame(stream_id: int, code: ErrorCode) -> bytes:
    """Return what ends a stream before its time."""
    return _frame(H2FrameType.RST_STREAM, 0, stream_id, struct.pack(">I", code))


def settings_frame(settings: Mapping[SettingsParameter, int] | None = None) -> bytes:
    """Return settings, or without them what says that the peer's have been taken over."""
    if settings is None:
        return _frame(H2FrameType.SETTINGS, Flag.ACK, 0, b"")
    return _frame(
        H2FrameType.SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in settings.items())
    )


def settings_of(frame: Frame) -> list[tuple[int, int]] | None:
    """Return the settings that a frame brings, in order; None when it says that ours have been taken over.

    Raises:
        ProtocolBroken: it is as long as it may not be.
    """
    is_ack = bool(frame.flags & Flag.ACK)
    if len(frame.payload) % 6 or (is_ack and frame.payload):
        raise ProtocolBroken(ErrorCode.FRAME_SIZE_ERROR, "a frame has another size than it must have")
    return None if is_ack else list(struct.iter_unpack(">HI", frame.payload))


def window_frame(stream_id: int, more: int) -> bytes:
    """Return the permission to send more bytes, of a stream or, with 0, of all."""
    return _frame(H2FrameType.WINDOW_UPDATE, 0, stream_id, struct.pack(">I", more))


def ping_frame(payload: bytes) -> bytes:
    """Return the answer to a ping."""
    return _frame(H2FrameType.PING, Flag.ACK, 0, payload)


def goaway_frame(code: ErrorCode) -> bytes:
    """Return what ends a connection; no stream of the server's was taken."""
    return _frame(H2FrameType.GOAWAY, 0, 0, struct.pack(">II", 0, code))


def _frame(kind: H2FrameType, flags: int, stream_id: int, payload: bytes | memoryview) -> bytes:
    length = len(payload)
    head = struct.pack(">BHBBI", length >> 16, length & 0xFFFF, kind, flags, stream_id)
    return b"".join((head, payload))
