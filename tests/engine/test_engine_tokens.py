"""Tokens are found wherever a server may have put them, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.engine.tokens import MAX_EXCERPT, MessageToken, TokenReader, token_text

RUN = "0badcafe"
TOKENS = st.builds(MessageToken, st.integers(0, 10**9), st.integers(0, 10**6))


def found(*texts, separator=None):
    """Return the tokens of each text."""
    return [list(stored.tokens) for stored in TokenReader(RUN, separator).read(texts)]


def written(*tokens):
    """Return tokens next to each other."""
    return "".join(token_text(RUN, *token) for token in tokens)


@given(st.lists(TOKENS, max_size=5), st.text(alphabet="sr.0badcfe \n", max_size=5))
def test_tokens_next_to_each_other_are_told_apart(tokens, noise):
    """Any number of tokens in one text are found in their order, whatever does not go on with a number between them."""
    text = (noise if not noise[:1].isdigit() else "").join(["", *(written(token) for token in tokens), ""])
    assert found(text) == [tokens]


@given(st.lists(TOKENS, min_size=1, max_size=4, unique=True), st.data())
def test_a_token_that_was_cut_is_found_where_it_begins(tokens, data):
    """A token whose text goes on in later messages is found once, in the first of them, and counts as a split."""
    text = " ".join(written(token) for token in tokens) + " end"
    cut = data.draw(st.sampled_from(tokens))
    start = text.index(written(cut))
    last = (
        start + len(token_text(RUN, cut.session, 0)) - 1
    )  # a cut before the message's number is never ambiguous
    cuts = sorted(data.draw(st.sets(st.integers(start + 1, last), min_size=1, max_size=3)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    stored = TokenReader(RUN).read(pieces)
    assert [token for each in stored for token in each.tokens] == tokens
    assert [each.splits for each in stored] == [1, *([0] * len(cuts))]


@pytest.mark.parametrize(
    ("texts", "tokens"),
    [
        (["sr.feedface.1.2"], [[]]),
        (["sr.0badcafe.1."], [[]]),
        (["sr.0badcafe.1.2.3"], [[MessageToken(1, 2)]]),
        (["xsr.0badcafe.1.2y"], [[MessageToken(1, 2)]]),
        (["sr.0badcafe.1.2", "5 apples"], [[MessageToken(1, 2)], []]),
        (["ends in sr.0bad", "nothing"], [[], []]),
        (["ends in sr.0bad"], [[]]),
        (["sr.0badcafe.\u0661.\u0662"], [[]]),
        (["setup-sr.0badcafe.0.0 user_setup-sr.0badcafe.0.1 teardown-sr.0badcafe.0.2"], [[]]),
        (["my-sr.0badcafe.0.0"], [[MessageToken(0, 0)]]),
        (["", ""], [[], []]),
    ],
    ids=[
        "other-run",
        "unfinished",
        "more",
        "inside",
        "no-split",
        "no-end",
        "last",
        "other-digits",
        "not-of-the-load",
        "hyphen",
        "empty",
    ],
)
def test_what_is_no_token(texts, tokens):
    """What looks like a token and is none, or is another run's, is passed over."""
    assert found(*texts) == tokens


def test_a_payload_may_render_its_token_twice():
    """With a separator, a token counts once in each of the messages that were joined; without, each time."""
    twice = "[sr.0badcafe.0.1] hello sr.0badcafe.0.1"
    assert found(twice, separator="\n---\n") == [[MessageToken(0, 1)]]
    assert found(f"{twice}\n---\n{twice}", separator="\n---\n") == [[MessageToken(0, 1), MessageToken(0, 1)]]
    assert found(twice) == [[MessageToken(0, 1), MessageToken(0, 1)]]


def test_excerpts_are_short():
    """Of a stored message, only its beginning is kept."""
    (stored,) = TokenReader(RUN).read(["x" * 10_000])
    assert stored.excerpt == "x" * MAX_EXCERPT
