"""Requests: what fills a placeholder stays where it is, in paths, queries, headers and bodies."""

import json
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_scenarios import plan, request

from stressrunner.expressions import CannotEvaluate
from stressrunner.scenario.model import Form, Json, Raw, Timeout

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(texts)
def test_a_placeholder_stays_one_segment(text):
    """Whatever fills a placeholder of a path is one segment of it, and reads back as it was."""
    target = request({"x": text}, path="/users/{{ x }}/posts").target
    assert target.isascii()
    assert " " not in target
    assert [unquote(segment) for segment in target.split("/")] == ["", "users", text, "posts"]
    assert target.split("/")[2] not in (".", "..")
    assert not set(target) & set("?#")


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("...", "..."),
        ("é 日", "%C3%A9%20%E6%97%A5"),
        ("50%", "50%25"),
        ("a\r\nb", "a%0D%0Ab"),
        (5, "5"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_segments(text, segment):
    """What means something in a path is percent-encoded, and dots cannot climb out of it."""
    assert request({"x": text}, path="/a/{{ x }}").target == f"/a/{segment}"


@pytest.mark.parametrize(
    ("path", "prefix", "target"),
    [
        ("/", "", "/"),
        ("/list?q=a b&c=%20", "", "/list?q=a%20b&c=%20"),
        ("/list", "/api/v1", "/api/v1/list"),
        ("/é", "/api", "/api/%C3%A9"),
        ("?q=1", "", "/?q=1"),
        ("?q=1", "/api", "/api?q=1"),
        ("{{ n }}/posts", "", "/5/posts"),
        ("{{ n }}/posts", "/api", "/api/5/posts"),
        ("/{{ n }}/", "/api", "/api/5/"),
    ],
)
def test_literal_paths_are_kept(path, prefix, target):
    """The literal part of a path stays as it is but for what HTTP cannot carry, below the base URL's own path."""
    assert request({"n": 5}, path=path, prefix=prefix).target == target


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("/a/b?c=d", "/api/a/b?c=d"),
        ("a/b", "/api/a/b"),
        ("", "/api/"),
        ("http://other:81/x?y=z", "http://other:81/x?y=z"),
        ("HTTPS://other/a b", "HTTPS://other/a%20b"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://other/a%2Fb#part", "http://other/a%2Fb"),
        ("/a#part", "/api/a"),
        ("ftp://other/a", "/api/ftp://other/a"),
    ],
)
def test_a_path_that_is_one_placeholder_is_taken_as_it_is(value, target):
    """A path that is exactly one placeholder may be any path or a whole URL, whose fragment is never sent."""
    assert request({"link": value}, path="{{ link }}", prefix="/api").target == target


@given(st.dictionaries(st.text("abc", min_size=1), st.one_of(texts, st.lists(texts, min_size=1)), max_size=4))
def test_queries_read_back(query):
    """Whatever the values of a query are, a server reads them back; a list repeats its parameter."""
    target = request(
        {}, path="/a", query={name: value_without_placeholders(value) for name, value in query.items()}
    ).target
    pairs = [
        (name, item)
        for name, value in query.items()
        for item in (value if isinstance(value, list) else [value])
    ]
    assert target.isascii()
    assert parse_qsl(urlsplit(target).query, keep_blank_values=True) == pairs


def value_without_placeholders(value):
    """Return a value as templates that stand for it literally."""
    if isinstance(value, list):
        return [value_without_placeholders(item) for item in value]
    return "{{ " + json.dumps(value) + " }}" if "{{" in value else value


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/a", {"q": "{{ n }}", "none": "{{ none }}", "absent": None}, "/a?q=5"),
        ("/a", {"none": None}, "/a"),
        ("/a?b=c", {"q": 1}, "/a?b=c&q=1"),
        ("/a", {"q": ["{{ n }}", None, "x"]}, "/a?q=5&q=x"),
        ("/a", {"q": "{{ list }}"}, "/a?q=1&q=2"),
        ("/a", {"q": True, "m": "{{ map }}"}, "/a?q=true&m=%7B%22a%22%3A1%7D"),
        ("/a", {"q": "a b&c"}, "/a?q=a%20b%26c"),
        ("{{ path }}", {"q": 1}, "/x?y=z&q=1"),
    ],
)
def test_queries(path, query, target):
    """None leaves a parameter out, a list repeats it, and what the path has is kept."""
    names = {"n": 5, "none": None, "list": [1, 2], "map": {"a": 1}, "path": "/x?y=z"}
    assert request(names, path=path, query=query).target == target


@pytest.mark.parametrize(
    ("shared", "own", "headers"),
    [
        ({"X-Key": "a"}, {}, [("X-Key", "a")]),
        ({"X-Key": "a"}, {"x-key": "b"}, [("x-key", "b")]),
        ({"X-Key": "a"}, {"x-KEY": None}, []),
        ({"X-Key": "{{ n }}"}, {"Y": "2"}, [("Y", "2"), ("X-Key", "5")]),
        ({}, {"X": "{{ none }}"}, []),
        ({}, {"X": "a {{ list }}"}, [("X", "a [1,2]")]),
    ],
)
def test_headers(shared, own, headers):
    """An endpoint's headers go over the target's, whatever their case; None leaves one out, also at run time."""
    names = {"n": 5, "none": None, "list": [1, 2]}
    assert request(names, headers=own, shared=shared).headers == tuple(headers)


@given(texts, st.sampled_from("\r\n\0"), texts)
def test_headers_cannot_be_smuggled(before, end, after):
    """A line break in what fills a header is refused, or it could begin another header."""
    with pytest.raises(CannotEvaluate, match=r"^the header 'X-Name' would hold a line break$"):
        request({"x": f"{before}{end}{after}"}, headers={"X-Name": "<{{ x }}>"})


@pytest.mark.parametrize("name", ["X Name", "X:", "", "Ä", "X\n"])
def test_names_of_headers_are_tokens(name):
    """What cannot be the name of a header is refused before anything is sent."""
    with pytest.raises(ValueError, match=r"cannot be the name of a header$"):
        request(headers={name: "x"})


@pytest.mark.parametrize(
    ("body", "octets", "media_type"),
    [
        (None, b"", None),
        (Json({"a": 1}), b'{"a":1}', "application/json"),
        (Json(None), b"null", "application/json"),
        (Json(["é", True]), '["é",true]'.encode(), "application/json"),
        (Form({"a": "b c", "n": "{{ n }}"}), b"a=b+c&n=5", "application/x-www-form-urlencoded"),
        (Form({"a": None, "b": ["{{ none }}", "é"]}), b"b=%C3%A9", "application/x-www-form-urlencoded"),
        (Raw("<é>{{ n }}</é>\n"), "<é>5</é>\n".encode(), "text/plain; charset=utf-8"),
        (
            Raw("{% for i in list %}{{ i }};{% endfor %}"),
            b"1;2;",
            "text/plain; charset=utf-8",
        ),
    ],
)
def test_bodies(body, octets, media_type):
    """Each kind of body is written as its media type says, and the media type is told."""
    made = request({"n": 5, "none": None, "list": [1, 2]}, method="POST", body=body)
    assert made.body == octets
    assert dict(made.headers).get("Content-Type") == media_type


@pytest.mark.parametrize("source", ["target", "endpoint"])
def test_a_header_decides_the_media_type(source):
    """A Content-Type of the scenario takes the place of the one that the body suggests."""
    given_headers = {"content-type": "application/vnd.api+json"}
    where = {"shared" if source == "target" else "headers": given_headers}
    assert request(body=Json({}), **where).headers == tuple(given_headers.items())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_keeps_types(value):
    """A value that fills a whole text of a JSON body arrives with its type and everything in it."""
    assert json.loads(request({"v": value}, body=Json({"v": "{{ v }}", "w": "<"})).body) == {
        "v": value,
        "w": "<",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/{{ half }}"},
        {"path": "{{ half }}"},
        {"query": {"q": "{{ half }}"}},
        {"body": Json({"a": "{{ half }}"})},
        {"body": Form({"a": "{{ half }}"})},
        {"body": Raw("a{{ half }}")},
        {"body": Json({"a": "{{ [gone] }}"})},
        {"body": Json({"a": "{{ odd }}"})},
        {"path": "/{{ gone }}"},
        {"headers": {"X": "{{ gone.gone }}"}},
    ],
)
def test_what_cannot_be_written_is_no_crash(fields):
    """Half a surrogate pair, a missing name or a strange value makes a request that cannot be filled."""
    with pytest.raises(CannotEvaluate):
        request({"half": "\ud800", "odd": object()}, **fields)


def test_what_filters_yield_is_written_as_a_list():
    """Items from a filter are a list in a body."""
    assert request({"v": [1, 2]}, body=Json({"a": "{{ v|map('string') }}"})).body == b'{"a":["1","2"]}'


def test_method_and_timeouts_are_the_endpoints():
    """The request carries method and timeouts of its endpoint."""
    made = request(method="PATCH", timeout=Timeout(total_s=2, connect_s=1))
    assert (made.method, made.timeout_s, made.connect_timeout_s) == ("PATCH", 2, 1)


@pytest.mark.parametrize(
    ("base_url", "target"),
    [
        ("http://target", "/"),
        ("http://target/api/v1", "/api/v1/"),
        ("http://target/api/", "/api/"),
        ("demo://agents?queue=merge", "/"),
    ],
)
def test_the_path_of_the_base_url_is_a_prefix(base_url, target):
    """What the base URL has of a path stands before every path of the scenario."""
    assert plan(base_url=base_url).endpoints[0].request.render({}).target == target


@pytest.mark.parametrize(
    ("cookies", "headers", "line"),
    [
        ({"a": "1", "b": "{{ x }}"}, {}, "a=1; b=7"),
        ({"a": "{{ none }}"}, {}, None),
        ({"a": None, "b": ""}, {}, "b="),
        ({"a": "1"}, {"cookie": "given={{ x }}"}, "given=7; a=1"),
    ],
)
def test_cookies_are_one_header(cookies, headers, line):
    """Cookies are filled in and sent in one Cookie header, behind one that is written out; none leaves one out."""
    sent = request({"x": 7}, cookies=cookies, headers=headers)
    assert dict(sent.headers).get("Cookie") == line
    assert sum(name.lower() == "cookie" for name, _ in sent.headers) == (line is not None)


def test_cookie_cannot_grow():
    """What is filled into a cookie cannot end it."""
    with pytest.raises(CannotEvaluate, match="the cookie 'a' would hold"):
        request({"x": "1; b=2"}, cookies={"a": "{{ x }}"})


def test_redirects_are_followed_where_the_endpoint_says_so():
    """Whether redirects are followed rides with the request."""
    assert request(follow_redirects=True).follow_redirects
    assert not request().follow_redirects
