"""The server's side of HTTP/2, frame by frame, so that it can also do what no server should."""

import struct

import hpack

from stressrunner.http.h2_frames import PREFACE, FrameReader, H2FrameType

ACK = 0x1
END_STREAM = 0x1
END_HEADERS = 0x4


def frame(kind, flags=0, stream=0, payload=b""):
    """Return a frame with whatever it is said to have."""
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def settings(*pairs):
    """Return settings."""
    return frame(H2FrameType.SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def head(stream, *lines, status="200", ends=False, encoder=None):
    """Return the head of a response, by an encoder that keeps no table unless one is given."""
    fields = [(":status", status), *lines] if status else list(lines)
    block = (encoder or hpack.Encoder()).encode([(n, v, True) for n, v in fields])
    return frame(H2FrameType.HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, block)


def data(stream, part=b"", *, ends=True):
    """Return a part of a body, the last one unless told otherwise."""
    return frame(H2FrameType.DATA, END_STREAM if ends else 0, stream, part)


def answer(stream, body=b"ok", *lines):
    """Return a whole response."""
    return head(stream, *lines) + data(stream, body)


def reset(stream, code):
    """Return what ends a stream."""
    return frame(H2FrameType.RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last, code=0):
    """Return what ends a connection."""
    return frame(H2FrameType.GOAWAY, 0, 0, struct.pack(">II", last, code))


def window(stream, more):
    """Return the permission to send more."""
    return frame(H2FrameType.WINDOW_UPDATE, 0, stream, struct.pack(">I", more))


class Asked:
    """What a client has written: its frames, and the requests in them."""

    def __init__(self):
        self._reader = FrameReader()
        self._decoder = hpack.Decoder()
        self._preface = PREFACE
        self.frames = []
        self.heads = {}
        self.bodies = {}
        self.ended = []  # streams whose requests have come as a whole, in order

    def take(self, octets):
        """Take bytes of the client; return the frames that are new."""
        skipped = min(len(self._preface), len(octets))
        assert octets[:skipped] == self._preface[:skipped]
        self._preface = self._preface[skipped:]
        fresh = list(self._reader.feed(octets[skipped:]))
        self.frames += fresh
        for one in fresh:
            if one.kind == H2FrameType.HEADERS:
                self.heads[one.stream_id] = dict(self._decoder.decode(one.payload))
                self.bodies[one.stream_id] = b""
            elif one.kind == H2FrameType.DATA:
                self.bodies[one.stream_id] += one.payload
            if one.kind in (H2FrameType.HEADERS, H2FrameType.DATA) and one.flags & END_STREAM:
                self.ended.append(one.stream_id)
        return fresh

    def of_kind(self, kind):
        """Return the frames of a kind."""
        return [one for one in self.frames if one.kind == kind]


class Http2Peer:
    """Script: takes requests over HTTP/2 and has each answered by `reply(peer, stream, head)`, which returns bytes.

    None ends the connection. What was asked is kept: `asked`, one for each connection.
    """

    def __init__(self, reply, greeting=None):
        self.reply = reply
        self.greeting = settings() if greeting is None else greeting
        self.asked = []

    def __call__(self, peer):
        """Serve one connection."""
        asked = Asked()
        self.asked.append(asked)
        peer.send(self.greeting)
        done = 0
        while received := peer.sock.recv(65536):
            asked.take(received)
            for stream in asked.ended[done:]:
                done += 1
                octets = self.reply(peer, stream, asked.heads[stream])
                if octets is None:
                    return
                peer.send(octets)

    @property
    def paths(self):
        """The paths of all requests, in order."""
        return [head[":path"] for asked in self.asked for head in asked.heads.values()]
