"""HTTP/2 without a socket: what RFC 9113 asks of a client, frame by frame."""

import h2.config
import h2.connection
import h2.events
import hpack
import pytest
from h2_peer import ACK, Asked, answer, data, frame, goaway, head, reset, settings, window
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h2_frames import ErrorCode, Flag, H2FrameType, SettingsParameter
from stressrunner.http.h2_heads import request_fields
from stressrunner.http.h2_session import H2Session
from stressrunner.http.h2_stream import Stream
from stressrunner.http.origin import origin_of
from stressrunner.http.wire import ResponseLimits

ORIGIN = origin_of("http://target.example:81")
LIMITS = ResponseLimits(head_bytes=2_000, body_bytes=100_000)
GET = Request("GET", "/")


class Client:
    """A session with what it writes, at moments that count up."""

    def __init__(self, *requests, greeting=None):
        self.session = H2Session(LIMITS)
        self.asked = Asked()
        self.now_ns = 0
        self.streams = []
        for request in requests:
            self.begin(request)
        self.take(settings() if greeting is None else greeting)

    def begin(self, request):
        """Send a request."""
        stream = Stream(request, request_fields(request, ORIGIN, request.target), LIMITS, self.now_ns)
        self.streams.append(stream)
        self.session.begin(stream, self.now_ns)
        self.flush()
        return stream

    def take(self, *pieces):
        """Take what the server sends, each piece at a moment of its own."""
        for piece in pieces:
            self.now_ns += 1
            self.session.receive(piece, self.now_ns)
            self.flush()
        return self

    def flush(self):
        """Look at what is written."""
        while self.session.pump():
            pass
        self.asked.take(b"".join(self.session.output))
        self.session.output.clear()

    @property
    def outcomes(self):
        """Status and kind of failure of each stream that has ended, in the order of their requests."""
        return [
            (s.status, s.failure.kind if s.failure else None) for s in self.streams if s in self.session.ended
        ]

    @property
    def farewell(self):
        """The code by which the client has ended the connection, None while it has not."""
        said = self.asked.of_kind(H2FrameType.GOAWAY)
        return ErrorCode(said[0].payload[7]) if said else None

    @property
    def resets(self):
        """Stream and code of what the client has reset."""
        return [(f.stream_id, ErrorCode(f.payload[3])) for f in self.asked.of_kind(H2FrameType.RST_STREAM)]


def outcome(*pieces, request=GET):
    """Return the stream of a request that is answered by these bytes."""
    return Client(request).take(*pieces).streams[0]


def test_connection_begins_as_it_must():
    """The preface, settings without push, and a large window come before the first request."""
    client = Client(GET)
    first, second, third = client.asked.frames[:3]
    assert (first.kind, second.kind, third.kind) == (
        H2FrameType.SETTINGS,
        H2FrameType.WINDOW_UPDATE,
        H2FrameType.HEADERS,
    )
    assert bytes([0, SettingsParameter.ENABLE_PUSH, 0, 0, 0, 0]) in first.payload


def test_request_is_sent_as_given():
    """Method, path, Host and lines go out; those about the connection do not."""
    lines = (("Host", "other"), ("X-Token", "ü"), ("Connection", "close"), ("TE", "gzip"), ("Upgrade", "x"))
    request = Request("POST", "/a%2fb/../c?x=%7e", lines, b"body")
    client = Client(request)
    asked = client.asked.heads[1]
    assert asked == {
        ":method": "POST",
        ":scheme": "http",
        ":authority": "other",
        ":path": "/a%2fb/../c?x=%7e",
        "user-agent": asked["user-agent"],
        "accept": "*/*",
        "accept-encoding": asked["accept-encoding"],
        "x-token": "ü",
        "content-length": "4",
    }
    assert client.asked.bodies[1] == b"body"
    assert client.streams[0].bytes_sent == sum(f.size for f in client.asked.frames if f.stream_id == 1)


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [("X", "a\r\nY: b", "/"), ("X", "a\0", "/"), ("no name", "x", "/"), ("X", "x", "/ü"), ("X", "x", "/a b")],
)
def test_requests_that_cannot_be_put_into_http_are_refused(name, value, path):
    """What would break the framing of a server behind is not sent."""
    with pytest.raises(ValueError, match=r"is not|has a line break"):
        request_fields(Request("GET", path, ((name, value),)), ORIGIN, path)


def test_response_has_its_times_and_sizes():
    """F is when the first byte of the stream came, E when the last one did; sizes are those of its frames."""
    whole = head(1, ("x", "y")) + data(1, b"o", ends=False) + data(1, b"k")
    stream = outcome(whole[:5], whole[5:12], whole[12:20], whole[20:-1], whole[-1:])
    assert (stream.status, stream.headers, stream.body) == (200, (("x", "y"),), b"ok")
    assert (stream.first_byte_ns, stream.completed_ns, stream.bytes_received) == (3, 6, len(whole))


def test_interim_responses_and_trailers_are_passed_over():
    """1xx come before the response and trailers after it; the headers are those of the response."""
    early = head(1, ("link", "</x>"), status="103")
    last = head(1, ("digest", "x"), status=None, ends=True)
    stream = outcome(early, head(1, ("a", "b")), data(1, b"ok", ends=False), last)
    assert (stream.status, stream.headers, stream.body, stream.complete) == (200, (("a", "b"),), b"ok", True)
    assert stream.first_byte_ns == 2


@pytest.mark.parametrize(
    ("method", "response"),
    [
        ("HEAD", head(1, ("content-length", "100"), ends=True)),
        ("GET", head(1, ("content-length", "100"), status="304", ends=True)),
        ("GET", head(1, status="204", ends=True)),
        ("GET", head(1) + data(1)),
        ("GET", head(1, ("content-length", "2"), ("content-length", "2")) + data(1, b"ok")),
        (
            "GET",
            settings(
                (SettingsParameter.MAX_FRAME_SIZE, 1 << 14), (SettingsParameter.MAX_FRAME_SIZE, (1 << 24) - 1)
            )
            + answer(1),
        ),
        ("GET", settings((SettingsParameter.ENABLE_PUSH, 0), (99, 1)) + answer(1)),
        ("GET", head(1) + frame(H2FrameType.DATA, 0x9, 1, b"\x03ok\0\0\0")),
        ("GET", frame(H2FrameType.HEADERS, 0x2D, 1, b"\x02" + bytes(5) + b"\x88\0\0")),
        ("GET", frame(H2FrameType.HEADERS, 0x1, 1) + frame(H2FrameType.CONTINUATION, 0x4, 1, b"\x88")),
        ("GET", frame(0x77, 0xFF, 1, b"what") + frame(H2FrameType.PRIORITY, 0, 1, bytes(5)) + answer(1)),
    ],
)
def test_what_is_allowed_is_complete(method, response):
    """Bodies that do not come, padding, priorities, continued heads and unknown frames are no failures."""
    stream = outcome(response, request=Request(method, "/"))
    assert (stream.complete, stream.failure) == (True, None)


MALFORMED = {
    "no status": head(1, ("a", "b"), status=None),
    "status of two digits": head(1, status="20"),
    "status 099": head(1, status="099"),
    "status 101": head(1, status="101"),
    "two statuses": head(1, (":status", "200")),
    "pseudo-header of requests": head(1, (":path", "/")),
    "pseudo-header after others": head(1, ("a", "b"), (":status", "200"), status=None),
    "upper case": head(1, ("A", "b")),
    "name with a blank": head(1, ("a b", "c")),
    "empty name": head(1, ("", "c")),
    "line break in a value": head(1, ("a", "b\r\nc")),
    "blank around a value": head(1, ("a", " b")),
    "connection": head(1, ("connection", "close")),
    "transfer-encoding": head(1, ("transfer-encoding", "chunked")),
    "length that is no number": head(1, ("content-length", "x")),
    "two lengths": head(1, ("content-length", "2"), ("content-length", "3")),
    "end with an interim response": head(1, status="100", ends=True),
    "body before its head": data(1, b"ok"),
    "second head": head(1) + head(1),
    "status in trailers": head(1) + head(1, ends=True),
    "shorter than announced": head(1, ("content-length", "100")) + data(1, b"abc"),
    "longer than announced": head(1, ("content-length", "2")) + data(1, b"abc", ends=False),
    "nothing of what was announced": head(1, ("content-length", "100"), ends=True),
    "window of nothing": window(1, 0),
    "window too large": window(1, 0x7FFFFFFF),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_response_ends_its_stream_alone(name):
    """A response against the rules is a failure with a name; what else is under way on the connection goes on."""
    client = Client(GET, GET).take(MALFORMED[name], answer(3))
    assert client.outcomes[0][1] is FailureKind.PROTOCOL
    assert client.outcomes[1] == (200, None)
    assert client.resets == [(1, ErrorCode.PROTOCOL_ERROR)]
    assert client.session.failure is None


def test_short_body_says_how_short():
    """How much came of how much is said."""
    stream = outcome(MALFORMED["shorter than announced"])
    assert stream.failure.message == "the response ended after 3 of 100 bytes"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_body_where_none_may_be(method):
    """A body after the head for HEAD, or after 204, is against the rules."""
    status = "200" if method == "HEAD" else "204"
    stream = outcome(head(1, status=status) + data(1, b"x"), request=Request(method, "/"))
    assert stream.failure.message == "the response is not HTTP/2: a body comes where none may be"


@pytest.mark.parametrize(
    "response",
    [
        head(1, *[("a", "b" * 500)] * 4),
        head(1, *[("a", "b" * 900)], status="103") * 3,
        head(1) + data(1, bytes(16_384), ends=False) * 7,
    ],
)
def test_responses_have_limits(response):
    """A head or a body beyond the limit is given up, and the stream with it, not the connection."""
    client = Client(GET, GET).take(response, answer(3))
    assert client.outcomes == [(client.streams[0].status, FailureKind.TOO_LARGE), (200, None)]
    assert client.resets == [(1, ErrorCode.CANCEL)]


BROKEN = {
    "push": (frame(H2FrameType.PUSH_PROMISE, 4, 1, bytes(5)), ErrorCode.PROTOCOL_ERROR),
    "stream not opened": (answer(5), ErrorCode.PROTOCOL_ERROR),
    "stream of the server's": (answer(2), ErrorCode.PROTOCOL_ERROR),
    "data for no stream": (data(0, b"x"), ErrorCode.PROTOCOL_ERROR),
    "reset of a stream not opened": (reset(7, 0), ErrorCode.PROTOCOL_ERROR),
    "window of a stream not opened": (window(7, 1), ErrorCode.PROTOCOL_ERROR),
    "priority for no stream": (frame(H2FrameType.PRIORITY, 0, 0, bytes(5)), ErrorCode.PROTOCOL_ERROR),
    "settings for a stream": (frame(H2FrameType.SETTINGS, 0, 1), ErrorCode.PROTOCOL_ERROR),
    "settings of an odd size": (frame(H2FrameType.SETTINGS, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "acknowledgement with content": (
        frame(H2FrameType.SETTINGS, ACK, 0, bytes(6)),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "push allowed": (settings((SettingsParameter.ENABLE_PUSH, 1)), ErrorCode.PROTOCOL_ERROR),
    "small frames": (settings((SettingsParameter.MAX_FRAME_SIZE, 100)), ErrorCode.PROTOCOL_ERROR),
    "huge frames": (settings((SettingsParameter.MAX_FRAME_SIZE, 1 << 24)), ErrorCode.PROTOCOL_ERROR),
    "huge initial window": (
        settings((SettingsParameter.INITIAL_WINDOW_SIZE, 1 << 31)),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "window of streams too large": (
        window(1, 0x7FFF0000) + settings((SettingsParameter.INITIAL_WINDOW_SIZE, 0x7FFFFFFF)),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "window of nothing": (window(0, 0), ErrorCode.FLOW_CONTROL_ERROR),
    "window too large": (window(0, 0x7FFFFFFF), ErrorCode.FLOW_CONTROL_ERROR),
    "window of an odd size": (frame(H2FrameType.WINDOW_UPDATE, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "reset of an odd size": (frame(H2FrameType.RST_STREAM, 0, 1, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "ping of an odd size": (frame(H2FrameType.PING, 0, 0, b"x"), ErrorCode.PROTOCOL_ERROR),
    "ping for a stream": (frame(H2FrameType.PING, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "end for a stream": (frame(H2FrameType.GOAWAY, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "end of an odd size": (frame(H2FrameType.GOAWAY, 0, 0, bytes(7)), ErrorCode.PROTOCOL_ERROR),
    "more padding than frame": (frame(H2FrameType.DATA, 8, 1, b"\x09x"), ErrorCode.PROTOCOL_ERROR),
    "no room for padding": (frame(H2FrameType.DATA, 8, 1), ErrorCode.FRAME_SIZE_ERROR),
    "no room for priority": (frame(H2FrameType.HEADERS, 0x24, 1, b"xx"), ErrorCode.PROTOCOL_ERROR),
    "frame too large": (b"\x00\x40\x01" + bytes(6), ErrorCode.FRAME_SIZE_ERROR),
    "HTTP/1.1": (b"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorCode.FRAME_SIZE_ERROR),
    "head that cannot be decompressed": (
        frame(H2FrameType.HEADERS, 4, 1, b"\xff"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "head with an index from nowhere": (
        frame(H2FrameType.HEADERS, 4, 1, b"\xfe"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "head cut off": (frame(H2FrameType.HEADERS, 4, 1, b"\x40\x05ab"), ErrorCode.COMPRESSION_ERROR),
    "table too large": (frame(H2FrameType.HEADERS, 4, 1, b"\x3f\xff\x7f\x88"), ErrorCode.COMPRESSION_ERROR),
    "head interrupted": (frame(H2FrameType.HEADERS, 0, 1, b"\x88") + data(1), ErrorCode.PROTOCOL_ERROR),
    "head continued elsewhere": (
        frame(H2FrameType.HEADERS, 0, 1) + frame(H2FrameType.CONTINUATION, 4, 3),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "head that was not begun": (frame(H2FrameType.CONTINUATION, 4, 1, b"\x88"), ErrorCode.PROTOCOL_ERROR),
    "head that does not end": (
        frame(H2FrameType.HEADERS, 0, 1) + frame(H2FrameType.CONTINUATION, 0, 1, bytes(16_000)) * 3,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "bomb": (
        frame(H2FrameType.HEADERS, 4, 1, b"\x88\x40\x01a\x7f\x81\x1e" + b"x" * 4000 + b"\xbe" * 2000),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_protocol_ends_the_connection(name):
    """What breaks the protocol fails what is under way, under a name; the server is told why."""
    octets, code = BROKEN[name]
    client = Client(GET, GET).take(octets)
    assert client.outcomes == [(0, FailureKind.PROTOCOL)] * 2
    assert client.farewell is code
    assert client.session.is_leaving
    client.take(answer(1)).session.lost(None, 9)
    assert client.session.ended == client.streams  # each once
    assert client.streams[0].failure.message.startswith("the response is not HTTP/2: ")


def test_what_came_before_the_break_counts():
    """A response that is complete before the protocol is broken, in the same bytes, is one."""
    client = Client(GET, GET).take(answer(1) + frame(H2FrameType.PUSH_PROMISE, 4, 3, bytes(5)))
    assert client.outcomes == [(200, None), (0, FailureKind.PROTOCOL)]


def test_surplus_after_a_response_ends_the_connection():
    """What comes on a stream after its response must not become anything: the connection is ended."""
    client = Client(GET, GET).take(answer(1), data(1, b"more"))
    assert client.outcomes == [(200, None), (0, FailureKind.PROTOCOL)]
    assert client.farewell is ErrorCode.STREAM_CLOSED


@pytest.mark.parametrize(
    "octets",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", answer(1), frame(H2FrameType.SETTINGS, ACK)],
)
def test_server_without_http2_is_named(octets):
    """What does not begin with settings does not speak HTTP/2."""
    client = Client(GET, greeting=octets)
    assert client.streams[0].failure == (FailureKind.PROTOCOL, "the server does not speak HTTP/2")


@pytest.mark.parametrize("code", [ErrorCode.NO_ERROR, ErrorCode.CANCEL])
def test_reset_after_the_response_is_no_failure(code):
    """A server that has answered may end the stream; the response stands, though it did not want the body."""
    request = Request("POST", "/", (), bytes(100_000))
    client = Client(request, GET).take(answer(1) + reset(1, code), answer(3))
    assert client.outcomes == [(200, None), (200, None)]
    assert client.resets == [(1, ErrorCode.NO_ERROR)]


@pytest.mark.parametrize(
    ("code", "refused"), [(2, False), (0, False), (8, False), (7, True), (13, False), (99, False)]
)
def test_reset_before_the_response_is_a_failure_with_a_name(code, refused):
    """Only REFUSED_STREAM says that nothing was done."""
    stream = outcome(reset(1, code))
    name = ErrorCode(code).name if code < 14 else "error 99"
    words = f"the server reset the stream ({name}) before the response was complete"
    assert (stream.failure, stream.refused) == ((FailureKind.RESET, words), refused)


def test_refusal_after_a_head_is_none():
    """What has begun to be answered was looked at."""
    assert not outcome(head(1), reset(1, ErrorCode.REFUSED_STREAM)).refused


def test_goaway_lets_streams_finish():
    """Streams up to the last one named go on; later ones were not looked at, and none is begun."""
    client = Client(GET, GET, GET)
    client.take(goaway(3))
    assert client.session.is_leaving
    assert [s.refused for s in client.session.ended] == [True]
    client.take(answer(1), answer(3))
    assert client.outcomes[:2] == [(200, None), (200, None)]
    late = client.begin(GET)
    assert (late in client.session.ended, late.sent_ns, late.number) == (True, None, 0)


def test_goaway_twice_names_fewer():
    """A graceful end is announced first and then made more precise."""
    client = Client(GET, GET).take(goaway(0x7FFFFFFF))
    assert client.session.ended == []
    client.take(goaway(1))
    assert [s.number for s in client.session.ended] == [3]


@pytest.mark.parametrize(
    ("codes", "name"),
    [([11], "ENHANCE_YOUR_CALM"), ([0], "NO_ERROR"), ([0, 2], "INTERNAL_ERROR"), ([2, 0], "INTERNAL_ERROR")],
)
def test_end_of_the_connection_is_named(codes, name):
    """What the server said on leaving is said, for streams that it had taken."""
    client = Client(GET, GET).take(*[goaway(1, code) for code in codes])
    client.session.lost(None, 9)
    words = f"the server ended the connection ({name}) before the response was complete"
    assert client.streams[0].failure == (FailureKind.RESET, words)
    assert client.streams[0].completed_ns == 9


def test_connection_closed_without_a_word():
    """Nothing, part of a response, and a server that never spoke have names of their own."""
    client = Client(GET, GET).take(head(1))
    client.session.lost(None, 1)
    silent = Client(GET, greeting=b"")
    silent.session.lost(None, 1)
    assert [s.failure.message for s in (*client.streams, *silent.streams)] == [
        "the server closed the connection before the response was complete",
        "the server closed the connection without a response",
        "the server closed the connection before it spoke HTTP/2",
    ]


def test_streams_wait_for_the_server():
    """One stream until the server has said how many, then as many; a lower limit holds for the next ones."""
    client = Client(greeting=b"")
    for _ in range(5):
        client.begin(GET)
    assert list(client.asked.heads) == [1]
    client.take(settings((SettingsParameter.MAX_CONCURRENT_STREAMS, 2)))
    assert list(client.asked.heads) == [1, 3]
    client.take(settings((SettingsParameter.MAX_CONCURRENT_STREAMS, 1)), answer(1))
    assert list(client.asked.heads) == [1, 3]
    client.take(answer(3))
    assert list(client.asked.heads) == [1, 3, 5]
    client.take(settings((SettingsParameter.INITIAL_WINDOW_SIZE, 1)))
    assert list(client.asked.heads) == [1, 3, 5]
    client.take(settings((SettingsParameter.MAX_CONCURRENT_STREAMS, 100)))
    assert list(client.asked.heads) == [1, 3, 5, 7, 9]


def test_body_waits_for_windows():
    """No more is sent than both windows take; a change of settings moves those of streams, below nothing too."""
    client = Client(Request("POST", "/", (), bytes(100_000)))
    assert len(client.asked.bodies[1]) == 65_535
    client.take(window(1, 50_000))
    assert len(client.asked.bodies[1]) == 65_535
    client.take(window(0, 10))
    assert len(client.asked.bodies[1]) == 65_545
    client.take(settings((SettingsParameter.INITIAL_WINDOW_SIZE, 0)), window(0, 100_000))
    assert len(client.asked.bodies[1]) == 65_545
    client.take(window(1, 15_546))
    assert len(client.asked.bodies[1]) == 65_546
    client.take(settings((SettingsParameter.INITIAL_WINDOW_SIZE, 65_535)))
    assert len(client.asked.bodies[1]) == 100_000
    assert client.asked.ended == [1]


def test_bodies_share_the_window():
    """A large body does not keep another one from being sent."""
    client = Client(Request("POST", "/", (), bytes(70_000)), greeting=settings())
    second = client.begin(Request("POST", "/", (), b"small"))
    client.take(window(0, 5))
    client.take(window(0, 100_000))
    assert client.asked.bodies[3] == b"small"
    assert second.unsent is None


def test_window_of_the_client_is_opened_again():
    """When half of what may come has come, the server may send as much again."""
    client = Client(GET)
    client.session._inbound_left = 0x40000000 + 100
    client.take(head(1), data(1, bytes(200), ends=False))
    (more,) = client.asked.of_kind(H2FrameType.WINDOW_UPDATE)[1:]
    assert int.from_bytes(more.payload, "big") == 0x7FFFFFFF - 0x40000000 + 100
    client.session._inbound_left = 10
    assert client.take(data(1, bytes(20))).farewell is ErrorCode.FLOW_CONTROL_ERROR


def test_settings_and_pings_are_answered():
    """Settings are taken over with a word, pings answered in kind; answers to ours need none."""
    client = Client(GET).take(
        frame(H2FrameType.PING, 0, 0, b"12345678"), frame(H2FrameType.PING, ACK, 0, b"12345678")
    )
    assert [(f.flags, f.payload) for f in client.asked.of_kind(H2FrameType.PING)] == [(ACK, b"12345678")]
    assert [f.flags for f in client.asked.of_kind(H2FrameType.SETTINGS)] == [0, ACK]


def test_large_heads_are_continued():
    """A head that is larger than a frame goes into several."""
    session, long = H2Session(LIMITS), Request("GET", "/", (("X", "~" * 40_000),))
    session.begin(Stream(long, request_fields(long, ORIGIN, "/"), LIMITS, 0), 0)
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    server.decoder.max_header_list_size = 100_000
    (*_, received, ended) = server.receive_data(b"".join(session.output))
    assert isinstance(received, h2.events.RequestReceived)
    assert isinstance(ended, h2.events.StreamEnded)
    assert dict(received.headers)[b"x"] == b"~" * 40_000


def test_table_of_the_server_is_kept_to():
    """A server that wants a smaller table, or none, gets heads that it can read."""
    client = Client(greeting=settings((SettingsParameter.HEADER_TABLE_SIZE, 0)))
    client.asked._decoder.max_allowed_table_size = 0
    for _ in range(2):
        client.begin(GET)
    assert client.asked.heads[1] == client.asked.heads[3]


def test_what_was_given_up_may_still_be_answered():
    """What comes for a request that was given up is passed over, and its head keeps the table right."""
    encoder = hpack.Encoder()
    client = Client(GET, GET)
    client.session.give_up(client.streams[0], outcome(reset(1, 0)).failure)
    client.flush()
    assert client.resets == [(1, ErrorCode.CANCEL)]
    lines = [("x", "same")]
    blocks = [encoder.encode([(":status", "200"), *lines]) for _ in range(2)]
    client.take(frame(H2FrameType.HEADERS, 4, 1, blocks[0]) + data(1, b"x") + reset(1, 0))
    client.take(frame(H2FrameType.HEADERS, 5, 3, blocks[1]))
    assert client.streams[1].headers == (("x", "same"),)
    assert client.session.failure is None


def test_streams_come_to_an_end():
    """When the numbers of streams are used up the connection takes no more."""
    client = Client()
    client.session._next = 0x7FFFFFFD
    assert client.begin(GET).number == 0x7FFFFFFD
    assert not client.session.is_leaving
    assert client.begin(GET).number == 0x7FFFFFFF
    assert client.session.is_leaving
    assert client.begin(GET).number == 0


@given(st.lists(st.integers(0, 12), max_size=20))
def test_bytes_may_be_cut_anywhere(cuts):
    """How the network cuts the bytes changes nothing."""
    whole = settings() + answer(1, b"one") + frame(H2FrameType.PING, 0, 0, bytes(8)) + answer(3, b"three")
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(whole[at : at + cut])
        at += cut
    pieces.append(whole[at:])
    client = Client(GET, GET)
    client.take(*[piece for piece in pieces if piece])
    assert [(s.body, s.failure) for s in client.streams] == [(b"one", None), (b"three", None)]


FRAMES = st.builds(
    frame,
    st.integers(0, 11),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 5, 99]),
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\x88", bytes(4), bytes(8), b"\0\0\0\1"])),
)


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=30)), max_size=12), st.booleans())
def test_garbage_is_never_raised(pieces, greeted):
    """Whatever comes, each request ends once at most, with a response or a failure; nothing is raised."""
    client = Client(GET, Request("POST", "/", (), b"x" * 70_000), greeting=settings() if greeted else b"")
    client.take(*[piece for piece in pieces if piece])
    client.session.lost(None, 99)
    ended = client.session.ended
    assert sorted(ended, key=id) == sorted(client.streams, key=id)
    assert all(s.complete or s.failure is not None for s in ended)


@given(
    st.lists(st.tuples(st.sampled_from(["GET", "POST"]), st.binary(max_size=30_000)), min_size=1, max_size=8)
)
def test_package_h2_understands(asked):
    """Another implementation reads what is sent, and what it sends is read: bodies go round."""
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    session, bodies = H2Session(LIMITS), {}
    streams = [Stream(r, request_fields(r, ORIGIN, "/"), LIMITS, 0) for r in map(_request, asked)]
    for stream in streams:
        session.begin(stream, 0)
    while not all(stream in session.ended for stream in streams):
        session.pump()
        octets, session.output[:] = b"".join(session.output), []
        for event in server.receive_data(octets):
            _serve(server, event, bodies)
        session.receive(server.data_to_send(), 1)
    assert [stream.body for stream in streams] == [stream.request.body for stream in streams]
    assert [stream.failure for stream in streams] == [None] * len(streams)


def _request(asked):
    method, body = asked
    return Request(method, "/", (), body)


def _serve(server, event, bodies):
    """Send back what is sent."""
    if isinstance(event, h2.events.RequestReceived):
        bodies[event.stream_id] = b""
    elif isinstance(event, h2.events.DataReceived):
        bodies[event.stream_id] += event.data
        server.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    elif isinstance(event, h2.events.StreamEnded):
        body = bodies[event.stream_id]
        server.send_headers(event.stream_id, [(":status", "200"), ("content-length", str(len(body)))])
        for at in range(0, len(body), 16_384):
            server.send_data(event.stream_id, body[at : at + 16_384])
        server.end_stream(event.stream_id)


def test_flags_share_a_bit():
    """ACK and END_STREAM are the same bit, of different frames."""
    assert Flag.ACK == Flag.END_STREAM == 1
