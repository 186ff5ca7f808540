"""Functions of templates: their draws repeat by seed, iteration and use, and keep within their bounds."""

import base64
import hashlib
import json
import re
import string
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import FUNCTIONS, CannotEvaluate, Draws, compile_expression
from stressrunner.expressions.functions import MAX_TEXT, random_stream

seeds = st.integers(0, 2**64)


def drawn(draws):
    """Draw once from everything that is drawn."""
    return (
        draws.uuid(),
        draws.random_int(1, 10**9),
        draws.random_float(),
        draws.random_string(8),
        draws.choice(range(10**9)),
        draws.shuffle(range(20)),
    )


def called(source):
    """Return the value of an expression that may call every function."""
    draws = Draws(1, 2, 3)
    names = {name: draws.function(name) for name in FUNCTIONS}
    return compile_expression(source).evaluate({**names, "one": 1, "cal": "cal", "none_at_all": []})


@given(seeds, st.integers(0, 10**9), st.integers(0, 100))
def test_draws_repeat(seed, iteration, use):
    """The same seed, iteration and use draw the same, in whichever process."""
    assert drawn(Draws(seed, iteration, use)) == drawn(Draws(seed, iteration, use))


@given(
    st.tuples(seeds, st.integers(0, 99), st.integers(0, 99)),
    st.tuples(seeds, st.integers(0, 99), st.integers(0, 99)),
)
def test_draws_differ(one, other):
    """Another seed, iteration or use draws something else."""
    assert (drawn(Draws(*one)) == drawn(Draws(*other))) == (one == other)


def test_what_is_drawn_does_not_change():
    """A seed that was written down draws the same in the next version."""
    assert random_stream(1, "mix", 0).randrange(10**6) == 846_286
    assert Draws(1, 0, 0).uuid() == "109a2019-7698-45e3-a8ac-439e4ec3bdf2"


@given(seeds, st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_uuids_are_salted(seed, salt, other):
    """UUIDs of two runs differ although they share a seed, and nothing else does."""
    salted, others = Draws(seed, 0, 0, uuid_salt=salt), Draws(seed, 0, 0, uuid_salt=other)
    assert (salted.uuid() == others.uuid()) == (salt == other)
    assert salted.random_int(0, 10**9) == others.random_int(0, 10**9)


@given(seeds, st.sampled_from(["", "run-1"]))
def test_uuids_are_of_version_4(seed, salt):
    """A UUID has the version and variant of a random one."""
    made = uuid.UUID(Draws(seed, 0, 0, uuid_salt=salt).uuid())
    assert (made.version, made.variant) == (4, uuid.RFC_4122)


@given(seeds, st.integers(-(10**6), 10**6), st.integers(0, 10**6))
def test_numbers_keep_within_their_bounds(seed, low, span):
    """Both bounds of a number are included."""
    draws = Draws(seed, 0, 0)
    assert low <= draws.random_int(low, low + span) <= low + span
    assert low <= draws.random_float(low, low + span) <= low + span
    assert 0 <= draws.random_float() <= 1


def test_both_ends_are_drawn():
    """Over many draws every number between the bounds comes up."""
    draws = Draws(1, 0, 0)
    assert {draws.random_int(1, 3) for _ in range(100)} == {1, 2, 3}


@given(seeds, st.integers(0, 50))
def test_texts_have_their_length_and_alphabet(seed, length):
    """A random text has exactly its length, of letters and digits unless another alphabet is given."""
    draws = Draws(seed, 0, 0)
    assert re.fullmatch(rf"[A-Za-z0-9]{{{length}}}", draws.random_string(length))
    assert set(draws.random_string(length, "xy")) <= {"x", "y"}


@given(seeds, st.lists(st.integers(), min_size=1))
def test_choices_and_shuffles_are_of_the_values(seed, values):
    """One of the values is chosen; shuffled, they are all there, and those given stay in order."""
    draws = Draws(seed, 0, 0)
    before = list(values)
    assert draws.choice(values) in values
    assert sorted(draws.shuffle(values)) == sorted(values)
    assert values == before


@given(st.text())
def test_codecs(text):
    """SHA-256, base64 and JSON are those of everyone else."""
    assert Draws.sha256(text) == hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    assert base64.b64decode(Draws.base64(text)).decode("utf-8", "surrogatepass") == text
    assert json.loads(Draws.json(text)) == text


def test_codecs_take_any_value():
    """What is no text is written as JSON first."""
    assert called("sha256({'a': 1})") == hashlib.sha256(b'{"a":1}').hexdigest()
    assert called("base64(5)") == "NQ=="
    assert called("json(range(3))") == "[0,1,2]"


def test_now_is_the_time():
    """The three forms of now() tell the same time."""
    before = datetime.now(UTC).timestamp()
    iso, unix, unix_ms = called("[now(), now('unix'), now('unix_ms')]")
    after = datetime.now(UTC).timestamp()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", iso)
    assert before - 0.001 <= datetime.fromisoformat(iso).timestamp() <= after
    assert int(before) <= unix <= after
    assert before - 0.001 <= unix_ms / 1000 <= after


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("now('lo' ~ cal)", "now() gives 'iso', 'unix' or 'unix_ms', not 'local'"),
        (
            f"random_string(one * {MAX_TEXT + 1})",
            "random_string() gives 0 to 1,000,000 characters, not 1000001",
        ),
        ("random_string(-one)", "random_string() gives 0 to 1,000,000 characters, not -1"),
        ("choice(none_at_all)", "choice() needs a value to choose"),
        ("random_int(one + one, one)", "random_int() needs the lower bound first, not 2 and 1"),
        ("random_string(one, '')", "random_string() needs an alphabet"),
        ("json(nothing)", "'nothing' is undefined"),
        ("sha256(nothing)", "'nothing' is undefined"),
    ],
)
def test_what_a_function_does_not_take(source, sentence):
    """A function that cannot do what is asked makes the expression one that cannot be evaluated."""
    with pytest.raises(CannotEvaluate) as caught:
        called(source)
    assert str(caught.value) == sentence


def test_every_name_is_a_function():
    """Each name of the list leads to a function, and no other name does."""
    draws = Draws(1, 0, 0)
    assert all(callable(draws.function(name)) for name in FUNCTIONS)
    with pytest.raises(KeyError):
        draws.function("_stream")
    assert called("random_string(3)")[0] in string.ascii_letters + string.digits
