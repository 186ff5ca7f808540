"""Origins, header lines, content decoding and the naming of failures: the rules all transports share."""

import errno
import gzip
import socket
import ssl
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.http.content import accepted_encodings, content_of, decode_content
from stressrunner.http.exchange import Exchange, FailureKind, Request
from stressrunner.http.failures import ExchangeFailed, connect_failure, lost_connection
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.wire import complete_headers

BASE = Origin("http", "example.org", 80)


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("http://example.org", ("http", "example.org", 80), "example.org"),
        ("https://Example.org/a?b", ("https", "example.org", 443), "example.org"),
        ("https://example.org:80", ("https", "example.org", 80), "example.org:80"),
        ("http://u:p@[::1]:8080/", ("http", "::1", 8080), "[::1]:8080"),
        ("http://bücher.example", ("http", "xn--bcher-kva.example", 80), "xn--bcher-kva.example"),
        ("http+unix://%2Ftmp%2FA.sock/x", ("http", "localhost", 80, "/tmp/A.sock"), "localhost"),
    ],
)
def test_origin_of_a_url(url, origin, authority):
    """Scheme, host and port are those of the URL, with the scheme's port where none is named."""
    assert origin_of(url) == Origin(*origin)
    assert origin_of(url).authority == authority
    assert origin_of(origin_of(url).url) == Origin(*origin)


@pytest.mark.parametrize(
    "url",
    [
        "demo://agents",
        "example.org",
        "http://",
        "http://a:99999",
        "/path",
        "",
        "http+unix:///x",
        f"http+unix://{'x' * 108}",
    ],
)
def test_other_urls_have_no_origin(url):
    """What is not a whole http or https URL is refused."""
    with pytest.raises(ValueError, match=r"(?i)http|port|host|socket"):
        origin_of(url)


@pytest.mark.parametrize(
    ("target", "origin", "path"),
    [
        ("/a/../b?c=%20", BASE, "/a/../b?c=%20"),
        ("*", BASE, "*"),
        ("https://other.org", ("https", "other.org", 443), "/"),
        ("http://other.org:81/x?y=1#z", ("http", "other.org", 81), "/x?y=1"),
    ],
)
def test_target_names_origin_and_path(target, origin, path):
    """A path belongs to the base, a whole URL to its own origin, and paths are not rewritten."""
    assert locate(target, BASE) == (Origin(*origin), path)


def test_given_headers_take_the_place_of_defaults():
    """A header that the request has is sent once, as given, whatever its case."""
    request = Request("PUT", "/", (("HOST", "other"), ("accept", "text/html"), ("USER-agent", "x")))
    names = [name.lower() for name, _ in complete_headers(request, "example.org")]
    assert sorted(names) == ["accept", "accept-encoding", "content-length", "host", "user-agent"]
    assert ("HOST", "other") in complete_headers(request, "example.org")


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", b"", None),
        ("GET", b"x", "1"),
        ("POST", b"", "0"),
        ("DELETE", b"", None),
        ("PATCH", b"abc", "3"),
    ],
)
def test_content_length_is_said_where_it_means_something(method, body, length):
    """A body has its length, and methods that expect a body say that there is none."""
    lines = dict(complete_headers(Request(method, "/", (), body), "example.org"))
    assert lines.get("Content-Length") == length


def bare_deflate(content):
    """Compress without the zlib envelope, as some servers do."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@given(st.binary(max_size=500), st.lists(st.sampled_from(sorted(ENCODERS)), max_size=4))
def test_content_decodes_back(content, encodings):
    """Encodings are undone in the reverse of the order in which they were applied."""
    packed = content
    for name in encodings:
        packed = ENCODERS[name](packed)
    assert decode_content(packed, ", ".join(encodings), 10_000) == content


@given(st.binary(min_size=1, max_size=500))
def test_deflate_without_its_envelope_decodes(content):
    """Deflate is understood with and without the zlib envelope."""
    assert decode_content(bare_deflate(content), "deflate", 10_000) == content


def test_gzip_members_follow_each_other():
    """A gzip body of several members is their contents in a row."""
    assert decode_content(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", 100) == b"one two"


def test_zstandard_frames_follow_each_other():
    """A zstd body of several frames, as streaming servers flush them, is their contents in a row."""
    frames = [bytes([i]) * 3000 for i in range(5)]
    packed = b"".join(map(zstandard.compress, frames))
    assert decode_content(packed, "zstd", 20_000) == b"".join(frames)


def test_only_what_can_be_undone_is_asked_for():
    """Accept-Encoding names what the packages that are there can undo, under both transports."""
    assert accepted_encodings() == "gzip, deflate, br, zstd"
    assert ("Accept-Encoding", accepted_encodings()) in complete_headers(Request("GET", "/"), "x")


@pytest.mark.parametrize(
    ("body", "encoding", "shown"),
    [
        (b"plain", "", b"plain"),
        (gzip.compress(b"packed"), "gzip", b"packed"),
        (b"damaged", "gzip", b"damaged"),
    ],
)
def test_content_for_who_shows_it(body, encoding, shown):
    """A body that was left encoded is shown decoded, and as it came where that fails."""
    exchange = Exchange(Request("GET", "/"), 0, 0, 0, 0, body=body, content_encoding=encoding)
    assert content_of(exchange) == shown


def test_unknown_encoding_is_left_alone():
    """What was not asked for cannot be undone, nor can what was applied before it."""
    packed = b"whatever"
    assert decode_content(packed, "gzip, sdch", 100) == packed


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip", "deflate"])
def test_damaged_content_is_no_content(encoding):
    """What is not in the encoding that was said is a failure."""
    with pytest.raises(ExchangeFailed) as caught:
        decode_content(b"this is not it at all", encoding, 1000)
    assert caught.value.failure.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_content_that_is_cut_off_is_no_content(encoding):
    """A compressed body cut anywhere is a failure, not a shorter body."""
    packed = ENCODERS[encoding](b"some content that matters")
    for end in range(1, len(packed)):
        with pytest.raises(ExchangeFailed) as caught:
            decode_content(packed[:end], encoding, 1000)
        assert caught.value.failure.kind is FailureKind.PROTOCOL


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("size", [99, 100, 101, 1_000_000])
def test_limit_is_exact(encoding, size):
    """A body of the limit passes and one byte more does not."""
    packed = ENCODERS[encoding](bytes(size))
    if size <= 100:
        assert decode_content(packed, encoding, 100) == bytes(size)
        return
    with pytest.raises(ExchangeFailed) as caught:
        decode_content(packed, encoding, 100)
    assert caught.value.failure.kind is FailureKind.TOO_LARGE


def _os_error(number):
    return OSError(number, "words of the system")


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([_os_error(errno.ECONNREFUSED)], FailureKind.REFUSED),
        ([_os_error(errno.ENETUNREACH), _os_error(errno.ECONNREFUSED)], FailureKind.REFUSED),
        ([_os_error(errno.EADDRNOTAVAIL), _os_error(errno.ECONNREFUSED)], FailureKind.REFUSED),
        ([_os_error(errno.EADDRNOTAVAIL)], FailureKind.GENERATOR),
        ([_os_error(errno.ECONNREFUSED), _os_error(errno.EMFILE)], FailureKind.GENERATOR),
        ([_os_error(errno.ENFILE)], FailureKind.GENERATOR),
        ([_os_error(errno.EHOSTUNREACH)], FailureKind.CONNECT),
        ([OSError("all attempts failed")], FailureKind.CONNECT),
        ([socket.gaierror(socket.EAI_NONAME, "Name or service not known")], FailureKind.DNS),
        ([ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")], FailureKind.TLS),
    ],
)
def test_connection_failures_have_a_kind(errors, kind):
    """The errors of all addresses are weighed, however they are wrapped; a fault of this machine comes first."""
    wrapped = OSError("All connection attempts failed")
    wrapped.__cause__ = ExceptionGroup("attempts", errors)
    assert connect_failure(wrapped, BASE).kind is kind


def test_loss_of_a_connection_says_how():
    """The system's words for the loss are kept."""
    assert "reset by peer" in lost_connection(ConnectionResetError(errno.ECONNRESET, "x")).message
    assert lost_connection(EOFError()).message == "the connection was lost (closed by the server)"
