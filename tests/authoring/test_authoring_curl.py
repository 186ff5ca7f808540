"""`curl` commands are read as a shell and curl read them."""

import json
import shlex
from urllib.parse import parse_qsl, quote, unquote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stressrunner.authoring.curl_options import form_parts
from stressrunner.authoring.importing import Material, import_scenario
from stressrunner.authoring.multipart import STAND_IN, DraftPart
from stressrunner.authoring.sensitive import is_sensitive
from stressrunner.authoring.shell_words import ShellSyntaxError, shell_commands
from stressrunner.errors import UsageError
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text


def words_of(text):
    """Return the words of each command; a variable becomes its name in angle brackets."""
    return [words for _, words in shell_commands(text, lambda name: f"<{name}>")]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("a b\nc", [["a", "b"], ["c"]]),
        ("a; b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a \\\n  b", [["a", "b"]]),
        ("ab\\\ncd", [["abcd"]]),
        ("a\\\r\n b\r\nc", [["a", "b"], ["c"]]),
        (r"a 'b $x \n' ", [["a", r"b $x \n"]]),
        (r'a "b $x ${y} \$z \" \q"', [["a", r'b <x> <y> $z " \q']]),
        (r"a $'it\'s\n\x41\u00e9\101'", [["a", "it's\nAéA"]]),
        ("a x'y'\"z\"w", [["a", "xyzw"]]),
        ("a '' b", [["a", "", "b"]]),
        ("a # b\nc x#y", [["a"], ["c", "x#y"]]),
        ("a $(date) 5$", [["a", "$(date)", "5$"]]),
        ("", []),
    ],
)
def test_shell_words(text, commands):
    """Quotes, escapes, variables, comments and ends of commands are those of a POSIX shell."""
    assert words_of(text) == commands


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])), min_size=1))
def test_quoted_words_come_back(words):
    """What the standard library quotes is read back to the letter."""
    assert words_of(shlex.join(words)) == [words]


def test_an_open_quote_is_an_error():
    """A quote that is not closed is shown with its line, by the shell words and by the importer."""
    with pytest.raises(ShellSyntaxError) as caught:
        words_of("a\nb 'c")
    assert caught.value.line == 2
    with pytest.raises(UsageError, match="made, line 2: the quote ' is not closed"):
        import_scenario(Material("curl", "made", "curl x\ncurl 'x"))


def request_of(command):
    """Return the request that the scenario made of one command sends."""
    scenario = build(load_text(import_scenario(Material("curl", "made", command)).text, environ={}))
    (endpoint,) = scenario.endpoints.values()
    return RequestTemplate(endpoint, Common(headers=scenario.target.headers)).render({})


#: Private characters are taken out of what is imported, and half a surrogate pair is no text.
texts = st.text(st.characters(exclude_characters="\0\r\ue000\ue001", exclude_categories=["Cs"]), max_size=30)
#: What carries secrets is tested on its own.
keys = texts.filter(lambda text: not is_sensitive(text))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=25)
@given(texts.filter(lambda text: text and not text.startswith("@")))
def test_bodies_are_sent_to_the_letter(body):
    """A body of text is sent as curl would send it, whatever of the language's own marks is in it."""
    command = shlex.join(["curl", "http://h/x", "-H", "content-type: text/plain", "--data-binary", body])
    assert request_of(command).body.decode("utf-8") == body


@settings(max_examples=25)
@given(json_values)
@example({"$payload": "x", "a": ["{{ x }}", "${y}", "{% z %}", "{# #}", "${{ a }}", "{{{", "$"]})
@example(
    [1e300, -0.0, "1.10", "yes", "null", "", " x ", "a\n  b\n", "\u2028", "\ufeff", "\x7f", "#", "- a", "? b"]
)
@example({"": 1, "a: b": 2, " #c": {}, "d" * 2000: [[], [[]], {"e": [{}]}]})
def test_json_is_sent_with_the_same_meaning(value):
    """A JSON body is decoded by the server to what curl would have sent."""
    command = shlex.join(["curl", "http://h/x", "--json", json.dumps(value)])
    sent = request_of(command)
    assert json.loads(sent.body) == value
    assert {name.lower(): text for name, text in sent.headers}["content-type"] == "application/json"


@settings(max_examples=25)
@given(st.lists(st.tuples(texts, texts), max_size=5), st.booleans())
def test_queries_and_forms_have_the_same_fields(fields, as_form):
    """Parameters and form fields arrive as they were, repeated ones in their order."""
    fields = [(name, value) for name, value in fields if name and value and not is_sensitive(name)]
    encoded = urlencode(fields)
    words = ["curl", "http://h/x", "-d", encoded] if as_form else ["curl", f"http://h/x?{encoded}"]
    sent = request_of(shlex.join(words))
    received = sent.body.decode("ascii") if as_form else sent.target.partition("?")[2]
    assert sorted(parse_qsl(received)) == sorted(fields)


@settings(max_examples=25)
@given(texts.map(lambda text: quote(text.replace("?", "").replace("#", ""), safe="/{}$&:@")))
def test_paths_stay_as_they_are(path):
    """A path goes out as it is written, but for what has no place in a path."""
    sent = request_of(shlex.join(["curl", f"http://h/{path}"])).target
    assert unquote(sent) == unquote(f"/{path}")


@pytest.mark.parametrize(
    ("options", "method", "target", "headers", "body"),
    [
        ("-X PUT -d a=1", "PUT", "/x", {"content-type": "application/x-www-form-urlencoded"}, "a=1"),
        ("-d a=1 -d b=2", "POST", "/x", {"content-type": "application/x-www-form-urlencoded"}, "a=1&b=2"),
        ("-I", "HEAD", "/x", {}, ""),
        ("-sSfGd a=1 --data-urlencode 'b=c d&e'", "GET", "/x?a=1&b=c%20d%26e", {}, ""),
        ("--json '{\"a\":' --json '1}'", "POST", "/x", {"accept": "application/json"}, '{"a":1}'),
        (
            "-A me -e http://r/ -r 0-9",
            "GET",
            "/x",
            {"user-agent": "me", "referer": "http://r/", "range": "bytes=0-9"},
            "",
        ),
        ("-H 'A: 1' -H 'a: 2' -H 'Accept:' -H 'X-Empty;'", "GET", "/x", {"a": "1, 2"}, ""),
        ("-o out.txt --max-time 5 -- ", "GET", "/x", {}, ""),
        ("--data-raw @a -H content-type:text/plain", "POST", "/x", {"content-type": "text/plain"}, "@a"),
    ],
)
def test_options_mean_what_they_mean_to_curl(options, method, target, headers, body):
    """Method, target, headers and body of a request are those that curl would send."""
    sent = request_of(f"curl {options} http://h/x")
    assert (sent.method, sent.target, sent.body.decode()) == (method, target, body)
    assert headers.items() <= {name.lower(): value for name, value in sent.headers}.items()


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("curl -H 'Authorization: Bearer abcdef' http://h/", ("API_TOKEN",)),
        ("curl -H 'Authorization: abcdef' http://h/", ("AUTHORIZATION",)),
        ("curl -b a=b http://h/", ("COOKIE",)),
        ("curl -H 'X-Api-Key: abcdef' -H 'x-session-token: q' http://h/", ("API_KEY", "SESSION_TOKEN")),
        ("curl 'http://h/?api_key=abcdef&page_size=3'", ("API_KEY",)),
        ("curl 'http://h/?flag&sig=abcdef'", ("SIG",)),
        ("curl http://ada:secret@h/", ("API_PASSWORD",)),
        ("curl -u ada:secret http://h/", ("API_PASSWORD",)),
        ("curl -u key: http://h/", ("API_KEY",)),
        ('curl -u "$U:$P" http://h/', ("U", "P")),
        ("curl --oauth2-bearer abcdef http://h/", ("API_TOKEN",)),
        ('curl -H "X-Thing: $THING" http://h/', ("THING",)),
        ("curl $HOST/a", ("BASE_URL",)),
        ("curl https://$HOST/a", ("BASE_URL",)),
        ("curl -H 'X-Custom: eyJhbGciOiJub25l.eyJhIjoxfQ.' http://h/", ("CUSTOM",)),
        ('curl --json \'{"a": [{"password": "abcdef"}], "max_tokens": 5}\' http://h/', ("PASSWORD",)),
        ("curl -d 'user=a&pass=abcdef' http://h/", ("PASS",)),
    ],
)
def test_secrets_become_variables(command, variables):
    """Credentials are asked for in variables, and their values are not in the scenario."""
    made = import_scenario(Material("curl", "made", command))
    assert made.variables == variables
    for value in ("abcdef", "secret@", "ada:secret", "a=b", "eyJ"):
        assert value not in made.text


def test_one_secret_is_one_variable():
    """The same token in two requests is one variable, another token is another."""
    command = "curl -H 'authorization: Bearer {}' http://h/{}"
    made = import_scenario(
        Material(
            "curl",
            "made",
            "\n".join(command.format(*x) for x in [("token-1", "a"), ("token-2", "b"), ("token-1", "c")]),
        )
    )
    assert made.variables == ("API_TOKEN", "API_TOKEN_2")


@pytest.mark.parametrize(
    ("base_url", "target", "endpoints"),
    [
        ("", "https://a.example", 2),
        ("https://b.example/v2/", "https://b.example/v2", 1),
        ("http://127.0.0.1:9", "http://127.0.0.1:9", 2),
    ],
)
def test_the_base_url_chooses_the_requests(base_url, target, endpoints):
    """The host that most requests go to is the target, unless the wished one is among them."""
    commands = "curl https://a.example/x\ncurl https://a.example/y\ncurl https://b.example/v2/z"
    made = import_scenario(Material("curl", "made", commands, base_url))
    scenario = build(load_text(made.text, environ={}))
    assert scenario.target.base_url == target
    assert len(scenario.endpoints) == endpoints
    assert len(made.notes) == 3 - endpoints


def test_redirects_are_followed_as_curl_does():
    """`-L` follows the redirects of its own request, and no other does."""
    made = import_scenario(Material("curl", "made", "curl -sSL http://h/a\ncurl http://h/b"))
    endpoints = build(load_text(made.text, environ={})).endpoints
    assert [endpoint.follow_redirects for endpoint in endpoints.values()] == [True, False]


def test_certificates_are_checked_unless_all_is_left_to_k():
    """`-k` of a request that is taken over turns the check off, that of another one does not."""
    kept = import_scenario(Material("curl", "made", "curl -k https://a/")).text
    left_out = import_scenario(Material("curl", "made", "curl https://a/\ncurl -k -T a.bin https://a/")).text
    assert "verify: false" in kept
    assert "verify" not in left_out


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("a=b", [DraftPart("a", "b")]),
        ("a=b=c", [DraftPart("a", "b=c")]),
        ('a={"b": 1};type=application/json', [DraftPart("a", '{"b": 1}', "", "application/json")]),
        ('a="b;c";filename="d e.txt"', [DraftPart("a", "b;c", "d e.txt")]),
        ("a=@/home/me/b.png;type=image/png", [DraftPart("a", STAND_IN, "b.png", "image/png")]),
        ('a=@"b c.png";filename=d.png', [DraftPart("a", STAND_IN, "d.png")]),
        ("a=@b.txt,c.txt", [DraftPart("a", STAND_IN, "b.txt"), DraftPart("a", STAND_IN, "c.txt")]),
        ("a=<b.txt", [DraftPart("a", STAND_IN)]),
        ("a=@-", [DraftPart("a", STAND_IN, "-")]),
    ],
)
def test_parts_of_forms(value, parts):
    """`-F` is a field, a file or the text of a file, with the settings behind it; files are not read."""
    assert list(form_parts(value, is_text=False)) == parts
    assert list(form_parts(value, is_text=True)) == [DraftPart("a", value.partition("=")[2])]


@pytest.mark.parametrize(
    ("options", "auth"),
    [
        ("-H 'authorization: bearer abcdef'", {"bearer": "${secret:API_TOKEN}"}),
        (
            "-H 'Authorization: Basic YWRhOmxvdmVsYWNl'",
            {"basic": {"username": "ada", "password": "${secret:API_PASSWORD}"}},
        ),
        ("-u ada:lovelace", {"basic": {"username": "ada", "password": "${secret:API_PASSWORD}"}}),
        ('-u "$U:$P"', {"basic": {"username": "${U}", "password": "${secret:P}"}}),
        ('-H "Authorization: Bearer $TOKEN"', {"bearer": "${secret:TOKEN}"}),
        ("-H 'Authorization: Basic %%%'", None),
        ("-H 'Authorization: AWS4 abc'", None),
    ],
)
def test_credentials_are_authorization(options, auth):
    """What a request says who sends it with stands under `auth`; what has no word there stays a header, masked."""
    made = import_scenario(Material("curl", "made", f"curl {options} http://h/"))
    document = load_text(made.text, environ=dict.fromkeys(made.variables, "value-of-it"))
    (endpoint,) = document.value["endpoints"].values()
    given = str(auth).replace("${U}", "value-of-it")
    for name in made.variables:
        given = given.replace(f"${{secret:{name}}}", "value-of-it")
    assert str(endpoint.get("auth")) == given
    assert ("headers" in endpoint) == (auth is None)
