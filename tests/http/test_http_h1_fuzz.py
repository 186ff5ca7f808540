"""Any bytes at all for a response: however they are cut they mean the same, and what h11 reads of them is read here too."""

import h11
import pytest
from hostile import ROWS, Answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stressrunner.http.exchange import FailureKind
from stressrunner.http.h1_heads import KnownHeads
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.wire import ResponseLimits

#: Small, so that generated responses go beyond them.
TIGHT = ResponseLimits(head_bytes=150, body_bytes=60)
WIDE = ResponseLimits()

#: What responses are made of, and what upsets those who read them.
FRAGMENTS = [
    b"HTTP/1.1 ", b"HTTP/1.0 ", b"200 OK", b"204 ", b"304 x", b"100 ", b"101 ", b"099 ", b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\n\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",",
    b"Content-Length: ", b"Content-Length: 2\r\n", b"Content-Length: 5\r\n\r\n", b"Transfer-Encoding: ", b"chunked", b"gzip",
    b"Transfer-Encoding: chunked\r\n\r\n", b"Connection: close\r\n", b"connection: keep-alive\r\n", b"X: y\r\n", b"X: \xff\xa0\r\n",
    b" folded\r\n", b"0\r\n\r\n", b"2\r\nok\r\n", b"5;x=y\r\nhello\r\n", b"a\r\n0123456789\r\n", b"0\r\nT: u\r\n\r\n", b"0", b"1", b"2",
    b"f", b"ok", b"x" * 30, b"x" * 70,
]  # fmt: skip

fragments = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=3)), max_size=14).map(b"".join)
methods = st.sampled_from(["GET", "GET", "POST", "HEAD"])


@st.composite
def damaged(draw):
    """Return a response of the table with some places changed."""
    octets = bytearray(draw(st.sampled_from(SHORT)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(octets)))
        octets[at : at + draw(st.integers(0, 4))] = draw(
            st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=3))
        )
    return bytes(octets)


SHORT = [row.octets for row in ROWS if len(row.octets) < 400]
responses = st.one_of(fragments, damaged(), fragments.map(lambda octets: b"HTTP/1.1 200 OK\r\n" + octets))
cuts = st.lists(st.integers(0, 400), max_size=6)


def pieces(octets, places):
    """Cut octets at these places."""
    ends = [*sorted(place for place in places if place < len(octets)), len(octets)]
    cut = [octets[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    return [piece for piece in cut if piece]


def outcome(method, parts, *, ends, limits=TIGHT, heads=None):
    """Return all that a reader says in the end, but how many bytes it has looked at."""
    reader = ResponseReader(limits, heads)
    reader.expect(method)
    for part in parts:
        reader.feed(part)
    if ends:
        reader.finish()
    assert not (reader.complete and reader.failure)
    assert reader.complete or not ends or reader.failure
    said = (reader.complete, reader.failure, reader.reusable, reader.status, reader.headers)
    if reader.failure is not None:
        return said
    return (*said, reader.body if reader.complete else None, reader.content_encoding)


def means_the_same_however_cut(method, octets, places, ends):
    """Fail where it matters how octets come, or which heads were read before."""
    whole = outcome(method, [octets] if octets else [], ends=ends)
    assert outcome(method, pieces(octets, places), ends=ends) == whole
    assert outcome(method, pieces(octets, range(len(octets))), ends=ends) == whole
    known = KnownHeads()
    outcome(method, [octets] if octets else [], ends=ends, heads=known)
    assert outcome(method, [octets] if octets else [], ends=ends, heads=known) == whole


def comparable(headers):
    """Return header lines without what h11 changes: blanks of folded lines, how often a length is said, case of codings."""
    found = set()
    for name, value in headers:
        if (key := name.lower()) != b"content-length":
            found.add((key, b"".join((value.lower() if key == b"transfer-encoding" else value).split())))
    return found


def read_by_h11(method, octets, *, ends):
    """Return the final response as h11 reads it (status, headers, body), None where it has none."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(octets)
    if ends:
        connection.receive_data(b"")
    head, body = None, b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return None
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return head.status_code, comparable(head.headers), body
        elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
            return None


#: What is refused here although h11 takes it, by words of the failure; hostile.py has the sources.
STRICTER = (
    "both Transfer-Encoding and Content-Length",
    "the size of a chunk",
    "it does not begin with HTTP/1.",
    "CR or NUL",
)


def reads_what_h11_reads(method, octets, ends):
    """Fail where h11 reads another response, or one where there is none."""
    reference = read_by_h11(method, octets, ends=ends)
    if reference is None:
        return
    complete, failure, _, status, headers, *rest = outcome(
        method, [octets] if octets else [], ends=ends, limits=WIDE
    )
    if not complete:
        assert failure is not None
        assert failure.kind is FailureKind.PROTOCOL
        assert any(words in failure.message for words in STRICTER), failure
        return
    found = comparable([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers])
    assert (status, found, rest[0]) == reference


@given(methods, responses, cuts, st.booleans())
def test_any_bytes_mean_the_same_however_they_are_cut(method, octets, places, ends):
    """What comes of a response depends neither on how it is cut nor on what was read before."""
    means_the_same_however_cut(method, octets, places, ends)


@given(methods, responses, st.booleans())
def test_what_h11_reads_is_read(method, octets, ends):
    """A response that h11 reads has the same status, headers and body here, or is refused for a reason that is known."""
    reads_what_h11_reads(method, octets, ends)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_table_however_cut(row):
    """A response of the table is what the table says, whole, in single bytes and cut in two."""
    octets, wide = row.octets, ResponseLimits(head_bytes=10_000, body_bytes=10_000)
    whole = outcome(row.method, [octets] if octets else [], ends=row.closes, limits=wide)
    if isinstance(row.expected, Answer):
        assert whole[:2] == (True, None)
        assert (whole[2] and not row.closes, whole[3]) == (row.expected.kept, row.expected.status)
    elif not row.keeps and whole[3] != 101:  # which the connection refuses
        assert whole[1].kind is row.expected
        assert row.words in whole[1].message
    step = max(1, len(octets) // 50)
    for places in (range(0, len(octets), step), *([place] for place in range(1, len(octets), step))):
        assert outcome(row.method, pieces(octets, places), ends=row.closes, limits=wide) == whole


@pytest.mark.soak
@settings(max_examples=200_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(methods, responses, cuts, st.booleans())
def test_any_bytes_for_long(method, octets, places, ends):
    """The same properties, for a quarter of an hour."""
    means_the_same_however_cut(method, octets, places, ends)
    reads_what_h11_reads(method, octets, ends)
