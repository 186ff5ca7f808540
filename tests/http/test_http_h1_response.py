"""Reading responses without a socket: what comes of bytes does not depend on how they are cut."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.http.exchange import FailureKind
from stressrunner.http.h1_heads import KnownHead, KnownHeads
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.wire import ResponseLimits

LIMITS = ResponseLimits(head_bytes=200, body_bytes=100)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
PACKED = gzip.compress(b"packed")

# name: (method, bytes, whether the connection ends then), (status, body, connection usable)
COMPLETE = {
    "length": (("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", False), (200, b"hello", True)),
    "empty": (("POST", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False), (200, b"", True)),
    "no reason": (("GET", b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", False), (404, b"", True)),
    "close": (
        ("GET", b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False),
        (200, b"ok", False),
    ),
    "1.0": (("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False), (200, b"ok", False)),
    "1.0 kept": (
        ("GET", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", False),
        (200, b"ok", True),
    ),
    "until the end": (("GET", b"HTTP/1.1 200 OK\r\n\r\nall there is", True), (200, b"all there is", False)),
    "other coding": (
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + PACKED, True),
        (200, PACKED, False),
    ),
    "chunked": (
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            False,
        ),
        (200, b"hello", True),
    ),
    "trailers": (
        (
            "GET",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\nDigest: x\r\nB: y\r\n\r\n",
            False,
        ),
        (200, b"ok", True),
    ),
    "interim": (
        (
            "POST",
            INTERIM + b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
            False,
        ),
        (201, b"ok", True),
    ),
    "head": (("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", False), (200, b"", True)),
    "head without length": (("HEAD", b"HTTP/1.1 200 OK\r\n\r\n", False), (200, b"", True)),
    "head chunked": (
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False),
        (200, b"", True),
    ),
    "head, last": (("HEAD", b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", False), (200, b"", False)),
    "head 1.0": (("HEAD", b"HTTP/1.0 200 OK\r\n\r\n", False), (200, b"", False)),
    "204": (("GET", b"HTTP/1.1 204 No Content\r\n\r\n", False), (204, b"", True)),
    "304": (("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", False), (304, b"", True)),
    "101": (
        ("GET", b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", False),
        (101, b"", False),
    ),
}

BROKEN = {
    "nothing": (b"", FailureKind.RESET),
    "part of a head": (b"HTTP/1.1 200 OK\r\nContent-Len", FailureKind.RESET),
    "short body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", FailureKind.RESET),
    "short body, last": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nshort",
        FailureKind.RESET,
    ),
    "short chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort", FailureKind.RESET),
    "no last chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", FailureKind.RESET),
    "only interim": (b"HTTP/1.1 100 Continue\r\n\r\n", FailureKind.RESET),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.PROTOCOL),
    "RTSP": (b"RTSP/1.0 200 OK\r\n\r\n", FailureKind.PROTOCOL),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", FailureKind.PROTOCOL),
    "bad status": (b"HTTP/1.1 abc OK\r\n\r\n", FailureKind.PROTOCOL),
    "bad header": (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", FailureKind.PROTOCOL),
    "bad length": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", FailureKind.PROTOCOL),
    "two lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        FailureKind.PROTOCOL,
    ),
    "bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", FailureKind.PROTOCOL),
    "large head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200 + b"\r\n\r\n", FailureKind.TOO_LARGE),
    "endless head": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400, FailureKind.TOO_LARGE),
    "large trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 400,
        FailureKind.TOO_LARGE,
    ),
    "large body": (b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101, FailureKind.TOO_LARGE),
    "large endless body": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101, FailureKind.TOO_LARGE),
}


def read(method, pieces, *, ends, limits=LIMITS):
    """Read a response that comes in pieces, up to the first piece with which it is decided."""
    reader = ResponseReader(limits)
    reader.expect(method)
    for piece in pieces:
        if reader.complete or reader.failure:
            break
        reader.feed(piece)
    if ends:
        reader.finish()
    return reader


def cuts(octets):
    """Cut once at every place, and into single bytes."""
    yield [octets] if octets else []
    yield [octets[i : i + 1] for i in range(len(octets))]
    for i in range(1, len(octets)):
        yield [octets[:i], octets[i:]]


@pytest.mark.parametrize("name", COMPLETE)
def test_complete_responses_however_cut(name):
    """A response is read whole wherever the network cuts it, and not before its last byte."""
    (method, octets, ends), (status, body, reusable) = COMPLETE[name]
    for pieces in cuts(octets):
        reader = read(method, pieces, ends=ends)
        assert (reader.complete, reader.failure) == (True, None)
        assert (reader.status, reader.body, reader.reusable) == (status, body, reusable)
        assert reader.bytes_received == len(octets)
    for end in range(len(octets)):
        assert not read(method, [octets[:end]] if end else [], ends=False).complete


@pytest.mark.parametrize("name", BROKEN)
def test_broken_responses_however_cut(name):
    """A broken response has the same kind of failure wherever the network cuts it."""
    octets, kind = BROKEN[name]
    for pieces in cuts(octets):
        reader = read("GET", pieces, ends=True)
        assert reader.failure is not None, pieces
        assert (reader.failure.kind, reader.complete, reader.reusable) == (kind, False, False)


@given(st.lists(st.sampled_from(sorted(n for n in COMPLETE if COMPLETE[n][1][2])), max_size=8))
def test_responses_follow_each_other(names):
    """Each response on a kept connection is its own, whatever came before it."""
    reader = ResponseReader(LIMITS)
    for name in names:
        (method, octets, _), (status, body, _) = COMPLETE[name]
        reader.expect(method)
        reader.feed(octets)
        assert (reader.status, reader.body, reader.failure, reader.reusable) == (status, body, None, True)


#: Requests' methods with the bytes that answer them: some whole, some broken, and some that look like others.
ANSWERS = [
    *((method, octets) for (method, octets, _), _ in COMPLETE.values()),
    *(("GET", octets) for octets, _ in BROKEN.values()),
    *(("GET", octets + b"x") for (_, octets, _), _ in COMPLETE.values()),
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"),
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\r\n"),
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbod"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"),
    ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"),
    ("GET", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nX: \xfc\r\nContent-Length: 2\r\n\r\n{}"),
    ("GET", b"HTTP/1.1 200 OK\nContent-Length: 6\n\nab\r\n\r\n"),
    ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
]


def everything(reader):
    """Return all that a reader says."""
    said = (reader.status, reader.headers, reader.body, reader.content_encoding, reader.bytes_received)
    return *said, reader.complete, reader.failure, reader.reusable


@given(st.lists(st.tuples(st.sampled_from(ANSWERS), st.integers(0, 400)), max_size=12))
def test_known_heads_change_nothing(answers):
    """Responses are read as if none had been read before, whichever heads are known and wherever they are cut."""
    known = KnownHeads()
    reader = ResponseReader(LIMITS, known)
    for (method, octets), cut in [*answers, *answers]:
        if not reader.reusable:
            reader = ResponseReader(LIMITS, known)
        reader.expect(method)
        fresh = ResponseReader(LIMITS)
        fresh.expect(method)
        for each in (reader, fresh):
            for piece in (octets[:cut], octets[cut:]):
                if piece and each.failure is None:
                    each.feed(piece)
        assert everything(reader) == everything(fresh)
        if not fresh.complete:
            reader = ResponseReader(LIMITS, known)


def test_heads_are_known_until_they_prove_useless():
    """A head is recalled for a body of its length alone; a server whose heads never repeat is let off the looking up."""
    heads = KnownHeads()
    read_head = KnownHead(200, (), "", 0, 0)
    known = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    heads.learn(known + b"{}", 2, read_head)
    assert heads.recall(known + b"[]") == KnownHead(200, (), "", len(known), len(known) + 2)
    assert heads.recall(known + b"[") is heads.recall(known) is None
    other = known.replace(b"2", b"3")
    heads.learn(other + b"{ }", 3, read_head)
    for number in range(3000):
        heads.learn(b"HTTP/1.1 200 OK\r\nX: %d\r\n\r\n" % number, 0, read_head)
    assert heads.recall(other + b"{ }") is None


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read_or_refused(octets, ends):
    """No bytes make the reader raise, and none are both complete and failed."""
    for start in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        reader = read("GET", [start + octets] if start + octets else [], ends=ends)
        assert not (reader.complete and reader.failure)
        assert not ends or reader.complete or reader.failure


@pytest.mark.parametrize("surplus", [b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
@pytest.mark.parametrize("name", ["length", "chunked", "head", "head without length", "204"])
def test_surplus_ends_the_connection(name, surplus):
    """What comes behind a response is neither part of it nor the answer to the next request."""
    (method, octets, _), (status, body, _) = COMPLETE[name]
    reader = read(method, [octets + surplus], ends=False)
    assert (reader.complete, reader.status, reader.body) == (True, status, body)
    assert not reader.reusable


def test_headers_are_those_of_the_final_response():
    """Interim headers and trailers are left out; order, case and repetition are kept; padding is not."""
    octets = (
        b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie:  \xfc \r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nDigest: x\r\n\r\n"
    )
    headers = (("Set-Cookie", "a"), ("set-cookie", "ü"), ("Transfer-Encoding", "chunked"))
    for pieces in cuts(octets):
        assert read("GET", pieces, ends=False).headers == headers


def test_content_encoding_is_that_of_the_response():
    """The encodings of one response are not taken for those of the next."""
    reader = ResponseReader(LIMITS)
    for header, encoding in [
        ("Content-Encoding: GZIP", "gzip"),
        ("X: y", ""),
        ("content-encoding: A, b", "a, b"),
    ]:
        reader.expect("GET")
        reader.feed(f"HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode())
        assert reader.content_encoding == encoding


def test_limits_are_exact():
    """A head and a body of just the limit pass."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX: "
    octets = head + b"x" * (LIMITS.head_bytes - len(head) - 4) + b"\r\n\r\n" + b"x" * LIMITS.body_bytes
    reader = read("GET", [octets], ends=False)
    assert (reader.complete, reader.failure, len(reader.body)) == (True, None, LIMITS.body_bytes)


@pytest.mark.parametrize(
    ("octets", "limit"),
    [
        (b"32\r\n" + b"x" * 50 + b"\r\n32\r\n" + b"x" * 50 + b"\r\n0\r\n\r\n", "body_bytes"),
        (b"2;" + b"x" * 199 + b"\r\nok\r\n0\r\n\r\n", "head_bytes"),
        (b"2\r\nok\r\n0\r\nX: " + b"x" * 193 + b"\r\n\r\n", "head_bytes"),
    ],
    ids=["content", "extensions", "trailers"],
)
def test_limits_on_chunks_are_exact(octets, limit):
    """Content, extensions and trailers of just the limit pass, however cut, and one byte less room is too little."""
    octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + octets
    tight = LIMITS._replace(**{limit: getattr(LIMITS, limit) - 1})
    for pieces in cuts(octets):
        assert read("GET", pieces, ends=False).complete
        assert read("GET", pieces, ends=False, limits=tight).failure.kind is FailureKind.TOO_LARGE
