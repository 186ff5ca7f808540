"""Secrets disappear from texts in every form in which they travel, and nothing else does."""

import base64
import html
import json
import time
import urllib.parse

import markupsafe
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stressrunner.masking import MASK, Masker, authorizing

#: No asterisk, of which the mask itself is made.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="*")
secrets = st.text(characters, min_size=6, max_size=40)
texts = st.text(characters, max_size=30)

FORMS = {
    "plain": str,
    "in JSON": lambda secret: json.dumps(secret)[1:-1],
    "in JSON with slashes escaped": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "in JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "in a URL": urllib.parse.quote,
    "as a segment": lambda secret: urllib.parse.quote(secret, safe=""),
    "in lower case hexadecimal": lambda secret: urllib.parse.quote(secret, safe="").lower(),
    "in a form": urllib.parse.quote_plus,
    "in HTML": html.escape,
    "in HTML text": lambda secret: html.escape(secret, quote=False),
    "in a template": lambda secret: str(markupsafe.escape(secret)),
    "in JSON in HTML": lambda secret: html.escape(json.dumps(secret)[1:-1]),
    "in a message": lambda secret: repr(secret)[1:-1],
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "in upper case hexadecimal": lambda secret: secret.encode().hex().upper(),
}
#: What turns a text into another one that holds it.
WRAPPERS = {
    "json": lambda text: json.dumps({"a": [text]}),
    "json in UTF-8": lambda text: json.dumps([text], ensure_ascii=False),
    "url": lambda text: "https://h.example/?next=" + urllib.parse.quote(text, safe=""),
    "path": lambda text: "/a/" + urllib.parse.quote(text),
    "form": lambda text: urllib.parse.urlencode({"field": text, "b": "c"}),
    "html": lambda text: f"<p>{html.escape(text)}</p>",
    "markup": lambda text: str(markupsafe.escape(text)),
    "base64": lambda text: base64.b64encode(f"u:{text}".encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hex": lambda text: text.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@given(secret=secrets, before=texts, after=texts)
def test_every_form_disappears(form, secret, before, after):
    """However a secret is escaped and whatever stands around it, it is not in the masked text."""
    hidden = form(secret)
    assume(hidden.lower() not in f"{before}{MASK}{after}".lower())
    masked = Masker([secret]).text(f"{before}{hidden}{after}")
    assert MASK in masked
    assert hidden not in masked


@given(secret=secrets, before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_base64_disappears_at_every_alignment(secret, before, after):
    """A secret inside longer base64 is masked wherever in a group of four it begins, in both alphabets."""
    octets = secret.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + octets + after).decode()
        masked = Masker([secret]).text(encoded)
        assert MASK in masked
        # What is left around the mask holds less than a byte of the secret at either end.
        left = len(masked) - masked.count(MASK) * len(MASK)
        assert left <= len(encoded) - (len(octets) * 8 // 6 - 2)


@given(secret=secrets, user=st.text(st.characters(codec="ascii"), max_size=12))
def test_basic_auth_disappears(secret, user):
    """The password of Basic authentication is not in the header, of which only its beginning stays."""
    token = base64.b64encode(f"{user}:{secret}".encode()).decode()
    masked = Masker([secret]).text(f"Authorization: Basic {token}")
    assert MASK in masked
    assert token[len(token) // 2 :] not in masked


def nested(ways, text):
    """Return a text wrapped in several ways, the first one innermost."""
    for way in ways:
        text = WRAPPERS[way](text)
    return text


@given(ways=st.lists(st.sampled_from(sorted(WRAPPERS)), min_size=1, max_size=3), secret=secrets)
@example(ways=["json", "base64", "url"], secret="00000\x7f")
@example(ways=["url", "url", "url"], secret="a b+c/d=e")
@example(ways=["json", "json", "html"], secret='a"b\\c d')
@example(ways=["base64", "base64", "base64"], secret="hunter22")
@example(ways=["hex", "base64url", "form"], secret="hunter22")
def test_encodings_nest(ways, secret):
    """A secret disappears from a URL in a URL, JSON in JSON in base64, HTML of either: up to three deep."""
    masked = Masker([secret]).text(nested(ways, secret))
    assert MASK in masked
    # Nothing is left of it but what base64 shares with its neighbours.
    assert nested(ways, secret[1:-1]) not in masked


def test_a_url_in_a_url_keeps_its_other_parts():
    """What is shown of a nested address is everything but the secret."""
    inner = "https://h.example/cb?key=" + urllib.parse.quote("a b+c/d=e", safe="") + "&x=1"
    whole = json.dumps({"location": "/login?next=" + urllib.parse.quote(inner, safe="")})
    assert Masker(["a b+c/d=e"]).text(whole) == (
        '{"location": "/login?next=https%3A%2F%2Fh.example%2Fcb%3Fkey%3D***%26x%3D1"}'
    )


def test_a_cut_within_an_escape_disappears():
    """Where a text was cut in the middle of an escape, what is left of the escape goes with the secret's beginning."""
    for end in ("%", "%2", "\\u00", "&am"):
        assert Masker(["abcdefgh&ijkl"]).text(f"x abcdefgh{end}") == f"x {MASK}"


@given(texts)
def test_without_secrets_nothing_changes(text):
    """A Masker without secrets returns what it is given; an empty secret is none."""
    for masker in (Masker(), Masker([""])):
        assert masker.text(text) == text
        assert masker.value({text: [text]}) == {text: [text]}


@given(secrets, st.text("!§", max_size=30))
def test_other_text_stays(secret, text):
    """Text that has nothing of a secret in it is returned as it was."""
    assume(not set("!§") & set(secret))
    assert Masker([secret]).text(text) == text


def test_values_are_masked_inside():
    """Texts at any depth of decoded JSON are masked, keys too; other values stay."""
    masker = Masker(["hunter22"])
    value = {"hunter22": [{"a": "x hunter22 y"}, ("hunter22",)], "n": 1, "none": None, "yes": True}
    masked = {MASK: [{"a": f"x {MASK} y"}, [MASK]], "n": 1, "none": None, "yes": True}
    assert masker.value(value) == masked


def test_a_secret_within_a_secret():
    """Where one secret contains another the longer one disappears as a whole."""
    assert Masker(["secret-key", "my-secret-key-2"]).text("my-secret-key-2, secret-key") == f"{MASK}, {MASK}"


@given(
    secret=st.text("abcdefghij", min_size=12, max_size=40), before=st.text("XYZ", max_size=20), data=st.data()
)
def test_what_is_left_of_a_cut_secret_disappears(secret, before, data):
    """Where an excerpt or a message was cut in the middle of a secret, its beginning is masked too."""
    cut = data.draw(st.integers(6, len(secret) - 1))
    for end in ("", "...", "… and more"):
        assert Masker([secret]).text(f"{before}{secret[:cut]}{end}") == f"{before}{MASK}{end}"


def test_the_beginning_of_a_secret_within_a_text_stays():
    """A text that goes on with something else was not cut there."""
    assert Masker(["sk_live_12345678"]).text("sk_live_ is a prefix") == "sk_live_ is a prefix"


def test_secrets_that_are_not_utf_8():
    """A variable that is not UTF-8 is read with surrogates, and is masked as any other."""
    secret = b"caf\xe9-latin-1".decode("utf-8", "surrogateescape")
    assert Masker([secret]).text(f"<{secret}>") == f"<{MASK}>"


def test_long_texts_take_no_time():
    """Text that almost matches a long secret everywhere is read in one go, not over and over."""
    masker = Masker(["a" * 200 + "b", "aaaaaaab"])
    started = time.perf_counter()
    assert masker.text("a" * 100_000 + "x" + "." * 100_000).endswith("x" + "." * 100_000)
    assert time.perf_counter() - started < 5


def test_what_is_learned_disappears_from_then_on():
    """A token that was fetched while something runs is masked in what is rendered later, through the same masker."""
    masker = Masker(["a-known-secret"])
    render = masker.text
    assert render("a-fetched-token") == "a-fetched-token"
    masker.learn(["a-fetched-token", "a", ""])
    assert render("a-fetched-token a-known-secret") == "*** ***"
    masker.learn(f"token-number-{n}" for n in range(100))
    assert render("token-number-99 a-known-secret a") == "*** *** a"


def test_more_secrets_leave_a_masker_as_it_is():
    """What belongs to one exchange is hidden there beside all that is secret, and nowhere else."""
    masker = Masker(["a-known-secret"])
    assert masker.plus(["only-of-this-one"]).text("only-of-this-one a-known-secret") == "*** ***"
    assert masker.text("only-of-this-one a-known-secret") == "only-of-this-one ***"
    assert masker.plus(["short"]) is masker


@pytest.mark.parametrize(
    ("value", "credentials"),
    [
        ("Bearer abc.def.ghi", ["abc.def.ghi"]),
        ("token  abcdef ", ["abcdef"]),
        ("abcdefgh", ["abcdefgh"]),
        ("Basic bWU6cGFzc3dvcmQ=", ["bWU6cGFzc3dvcmQ=", "password"]),
        ("Basic bm90aGluZw==", ["bm90aGluZw=="]),
        ("Basic not-base64", ["not-base64"]),
        ("Bearer x", []),
        ("", []),
    ],
)
def test_credentials_are_taken_out_of_headers(value, credentials):
    """An Authorization header has a token, or a name and password; what is too short to be told from text is left."""
    assert list(authorizing([("X-Other", "Bearer other-token"), ("authorization", value)])) == credentials
