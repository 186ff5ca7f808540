"""The options of the embedded target: what a demo:// URL may say, and how a wrong one is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.demo import DemoOptionError, DemoOptions
from stressrunner.demo.queues import QUEUES

millionths = st.integers(0, 1_000_000).map(lambda n: n / 1_000_000)
options = st.builds(
    DemoOptions,
    latency_s=st.integers(0, 3_600_000_000).map(lambda us: us / 1_000_000),
    jitter_s=millionths,
    error_ratio=millionths,
    seed=st.integers(0, 2**64),
    queue=st.sampled_from(sorted(QUEUES)),
    capacity=st.none() | st.integers(1, 10**6),
    race=st.sampled_from(["0", "1", "user"]),
    history=st.sampled_from(["strict", "current_page", "kind"]),
    shares_anonymous=st.booleans(),
    backend=st.none() | st.sampled_from(["http://127.0.0.1:9099/v1", "https://example.org/a%20b"]),
    token_ttl_s=millionths,
    api_key=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
)


@given(options)
def test_options_survive_the_url(chosen):
    """What options write as a URL reads back as the same options, whatever is in the key."""
    assert DemoOptions.parse(chosen.to_url()) == chosen


def test_a_url_reads_as_people_write_it():
    """Units and an unescaped percent sign are read, and what is not named keeps its default."""
    url = "demo://agents?queue=merge&latency=1.5s&errors=2.5%&seed=7"
    assert DemoOptions.parse(url) == DemoOptions(latency_s=1.5, error_ratio=0.025, seed=7)


@pytest.mark.parametrize("url", ["demo://agents", "demo://agents/", "demo://agents?"])
def test_no_option_is_needed(url):
    """Without options the target behaves as the defaults say."""
    assert DemoOptions.parse(url) == DemoOptions()


def test_what_is_finer_than_kept_is_rounded():
    """Durations are kept to the microsecond, so that a URL can carry them exactly."""
    assert DemoOptions.parse("demo://agents?latency=1.0004us&jitter=0.6us") == DemoOptions(
        latency_s=0.000001, jitter_s=0.000001
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("demo://shop", "target=demo://shop: the embedded target is demo://agents"),
        ("demo://agents:80", "target=demo://agents:80: the embedded target is demo://agents"),
        ("demo://agents/api", "target=demo://agents/api: the embedded target is demo://agents"),
        (
            "demo://agents?latncy=5ms",
            "latncy=5ms: unknown option, did you mean 'latency'? Options: queue, capacity, history, race, anonymous, latency, jitter, errors, seed, backend, api_key, token_ttl",
        ),
        (
            "demo://agents?queue=mrge",
            "queue=mrge: unknown queue, did you mean 'merge'? Queues: merge, latest, overlap, hang, duplicate, misroute",
        ),
        ("demo://agents?latency=50", "latency=50: '50' needs a unit (us ms s m h), such as 30s"),
        (
            "demo://agents?queue=xyz",
            "queue=xyz: unknown queue. Queues: merge, latest, overlap, hang, duplicate, misroute",
        ),
        ("demo://agents?latency=2h", "latency=2h: a duration of at most 1 h is accepted"),
        ("demo://agents?errors=101%", "errors=101%: a ratio from 0% to 100% is accepted"),
        ("demo://agents?seed=-1", "seed=-1: a whole number from 0 on is accepted, of at most 20 digits"),
        (
            "demo://agents?capacity=0",
            "capacity=0: a whole number from 1 on is accepted, of at most 20 digits",
        ),
        ("demo://agents?race=yes", "race=yes: '0', '1' or 'user' is accepted"),
        ("demo://agents?anonymous=1", "anonymous=1: 'own' or 'shared' is accepted"),
        (
            "demo://agents?backend=sink",
            "backend=sink: the base URL of a model backend is accepted, like http://127.0.0.1:9099/v1",
        ),
        ("demo://agents?api_key=", "api_key=: a key that is not empty is accepted"),
        ("demo://agents?seed=1&seed=2", "seed=2: the option is given twice"),
    ],
)
def test_a_mistake_is_named_with_what_is_accepted(url, message):
    """A wrong option is told with its name, its value and what to write instead."""
    with pytest.raises(DemoOptionError) as raised:
        DemoOptions.parse(url)
    assert str(raised.value) == message
    assert f"{raised.value.option}={raised.value.value}: {raised.value.reason}" == message
