"""What the sink keeps of what it saw: each token once a request, how often, when, and never too many."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.sink.log import SinkLog, TokenLog, TokenObservation, tokens_in
from stressrunner.sink.options import SinkOptions

tokens = st.integers(0, 5).map(lambda number: f"sr.ab12.3.{number}")
requests = st.lists(st.tuples(st.lists(tokens, unique=True, max_size=4), st.booleans()), max_size=30)
ratios = st.floats(0, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hello sr.1f0c9a2b.17.3 there", ("sr.1f0c9a2b.17.3",)),
        ("sr.a.1.2sr.a.1.3", ("sr.a.1.2", "sr.a.1.3")),
        ("sr.a.1.2\n---\nsr.a.1.3\n---\nsr.a.1.2", ("sr.a.1.2", "sr.a.1.3")),
        ("sr.a.1.", ()),
        ("sr.a.b.c and usr.a", ()),
    ],
)
def test_tokens_are_found_once_each(text, found):
    """Tokens of any run are found, also where they touch, and one that is repeated counts once."""
    assert tokens_in(text) == found


@given(requests)
def test_every_request_is_counted_for_each_of_its_tokens(asked):
    """A token's figures are those of the requests that carried it; times are of the first and the last of them."""
    log = TokenLog()
    for at_ns, (carried, fails) in enumerate(asked):
        log.arrived(carried, at_ns)
        if fails:
            log.failed(carried)
    seen = log.snapshot()
    assert (seen.requests, seen.unlogged) == (len(asked), 0)
    assert seen.observations == {
        token: TokenObservation(len(at), sum(asked[i][1] for i in at), min(at), max(at))
        for token in {token for carried, _ in asked for token in carried}
        for at in [[i for i, (carried, _) in enumerate(asked) if token in carried]]
    }
    assert SinkLog.from_json(seen.to_json()) == seen


def test_its_room_is_bounded():
    """Tokens beyond the bound are counted and not kept; those that were kept go on to be counted."""
    log = TokenLog(most=2)
    for number in (1, 2, 3, 4, 1):
        log.arrived([f"sr.a.1.{number}"], number)
    log.failed(["sr.a.1.4"])
    seen = log.snapshot()
    assert Counter({token: o.calls for token, o in seen.observations.items()}) == {
        "sr.a.1.1": 2,
        "sr.a.1.2": 1,
    }
    assert seen.unlogged == 2


def test_processed_is_what_did_not_fail():
    """A message whose first call failed and whose second did not was processed once."""
    assert TokenObservation(calls=2, failed=1, first_ns=1, last_ns=2).processed == 1


@given(st.builds(SinkOptions, st.integers(0, 65535), ratios, ratios, ratios, st.integers(0, 2**40)))
def test_options_survive_the_command_line(options):
    """What options write as arguments reads back as the same options."""
    assert SinkOptions.parse(options.arguments()) == options
