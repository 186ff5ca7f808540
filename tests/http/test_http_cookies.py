"""Cookies by tables and identities: a jar is pure but for its clock, which the tests hold."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.http.cookies import CookieJar, cookie_names
from stressrunner.http.origin import origin_of

NOW_S = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def jar_with(*lines, url="http://shop.example.org", at="/a/b"):
    """Return a jar after one response with these Set-Cookie lines."""
    jar = CookieJar(lambda: NOW_S)
    jar.store(tuple(("Set-Cookie", line) for line in lines), origin_of(url), at)
    return jar


def sent(jar, url="http://shop.example.org", target="/a/b", but=()):
    """Return what goes with a request."""
    return jar.line(origin_of(url), target, but)


@pytest.mark.parametrize(
    ("line", "url", "target", "goes"),
    [
        ("a=1", "http://shop.example.org", "/a/c", True),
        ("a=1", "http://shop.example.org", "/a?q", True),
        ("a=1", "http://shop.example.org", "/ab", False),
        ("a=1", "http://shop.example.org:81", "/a/c", True),
        ("a=1; Path=/", "http://shop.example.org", "/x", True),
        ("a=1; Path=/a", "http://shop.example.org", "/a/deep", True),
        ("a=1; Path=/a/", "http://shop.example.org", "/a", False),
        ("a=1; Path=relative", "http://shop.example.org", "/a/x", True),
        ("a=1; Path=/", "http://example.org", "/", False),
        ("a=1; Path=/", "http://www.shop.example.org", "/", False),
        ("a=1; Path=/; Domain=shop.example.org", "http://www.shop.example.org", "/", True),
        ("a=1; Path=/; Domain=.EXAMPLE.org", "http://other.example.org", "/", True),
        ("a=1; Path=/; Domain=example.org", "http://badexample.org", "/", False),
        ("a=1; Path=/; Secure", "http://shop.example.org", "/", False),
        ("a=1; Path=/; secure; HttpOnly", "https://shop.example.org", "/", True),
        ("a=1; Path=/; SameSite=None", "http://shop.example.org", "/", True),
    ],
)
def test_where_a_cookie_goes(line, url, target, goes):
    """A cookie that was set at /a/b goes where its path, domain and Secure say, and to all ports."""
    assert sent(jar_with(line), url, target) == ("a=1" if goes else "")


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "=1",
        "",
        "; Path=/",
        "a=1; Domain=other.org",
        "a=1; Domain=deep.shop.example.org",
        "a=1; Domain=org",
        "a=b\x00c",
        "a=" + "x" * 4096,
        "a=1; Max-Age=0",
        "a=1; Max-Age=-5",
        "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
def test_what_is_no_cookie(line):
    """What has no name, is too large, is over already or is meant for somebody else is passed over."""
    assert len(jar_with(line)) == 0


def test_addresses_have_no_domains():
    """A cookie of an address goes to that address alone."""
    jar = jar_with("a=1; Domain=127.0.0.1", "b=2; Domain=0.0.1", url="http://127.0.0.1:8080")
    assert sent(jar, "http://127.0.0.1:8081") == "a=1"
    assert sent(jar, "http://1.127.0.0.1") == ""


@pytest.mark.parametrize(
    ("attributes", "lasts_s"),
    [
        ("Max-Age=60", 60),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
        ("Expires=Mon, 23 Nov 2026 00:01:00 GMT", 60),
        ("Expires=Monday, 23-Nov-26 00:01:00 GMT", 60),
        ("Expires=Mon Nov 23 00:01:00 2026", 60),
        ("Expires=soon", None),
        ("Expires=99 Nov 2026 00:01:00", None),
        ("Expires=Nov 2026 00:01:00", None),
        ("Max-Age=soon", None),
    ],
)
def test_how_long_a_cookie_lasts(attributes, lasts_s):
    """Max-Age is stronger than Expires, of which all three forms are read; the rest lasts as long as the jar."""
    now_s = NOW_S
    jar = CookieJar(lambda: now_s)
    jar.store((("set-cookie", f"a=1; {attributes}"),), origin_of("http://h"), "/")
    for later_s in (59, 61, 10**9):
        now_s = NOW_S + later_s
        assert (sent(jar, "http://h", "/") == "a=1") == (lasts_s is None or later_s < lasts_s)


def test_longer_paths_come_first():
    """The order is that of paths from long to short, and of setting within one; setting again keeps the place."""
    jar = jar_with("a=1; Path=/", "b=2; Path=/", "c=3; Path=/a", "a=4; Path=/")
    assert sent(jar) == "c=3; a=4; b=2"
    assert sent(jar, but=cookie_names("b=mine; c")) == "a=4"


def test_servers_delete_cookies():
    """A cookie that is set again as expired is gone."""
    jar = jar_with("a=1", "b=2", "a=; Max-Age=0")
    assert sent(jar) == "b=2"


def test_a_jar_is_bounded():
    """Beyond 180 cookies the oldest make room."""
    jar = jar_with(*(f"c{i}=x; Path=/" for i in range(200)))
    assert len(jar) == 180
    assert cookie_names(sent(jar)) == {f"c{i}" for i in range(20, 200)}


@given(st.text(), st.sampled_from(["/", "/a", "/a/b?c"]))
def test_no_line_is_too_odd(line, target):
    """Whatever a server sets, what is sent is one line, with the name that was set."""
    said = sent(jar_with(line, at=target), target=target)
    assert "\n" not in said
    assert "\r" not in said
    assert not said or said.partition("=")[0] == line.partition("=")[0].strip()
