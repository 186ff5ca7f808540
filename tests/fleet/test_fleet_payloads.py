"""What a seed decides: payloads, rows and variants are the same however many generators there are, and in every run."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from engine.virtual_load import endpoint, scenario, virtual_run
from hypothesis import given, settings
from hypothesis import strategies as st

from stressrunner.scenario.model import (
    Closed,
    Feeder,
    GraphQL,
    Json,
    Mix,
    Multipart,
    Part,
    Phase,
    Session,
    Variants,
)
from stressrunner.scenario.row_file import RowFile
from stressrunner.scenario.row_walk import RowWalk
from stressrunner.scenario.steps import Send, Step

DRAWN = "{{ uuid() }} {{ random_int(1, 1000000) }} {{ choice(['a', 'b', 'c']) }} {{ key }} {{ fake.email }}"
BODIES = {
    "json": Json({"row": "{{ rows.id }}", "drawn": DRAWN}),
    "variants": Variants(
        (Fraction(3), Fraction(1)), ({"n": 1, "row": "{{ rows.id }}"}, {"n": 2, "drawn": DRAWN})
    ),
    "multipart": Multipart(
        (Part("row", "{{ rows.id }}"), Part("drawn", DRAWN, filename="{{ rows.id }}.txt"))
    ),
    "graphql": GraphQL("{ a }", {"row": "{{ rows.id }}", "drawn": DRAWN}),
}
TRAFFIC = {
    "mix": Mix({name: Fraction(1 + i) for i, name in enumerate(BODIES)}),
    "session": Session("variants", messages=5, burst=2),
}


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """Rows that are read from a file by an index, as those of a large one are."""
    path = Path(tmp_path_factory.mktemp("rows"), "rows.csv")
    path.write_text("id\n" + "".join(f"{i}\n" for i in range(500)))
    with path.open("rb") as opened:
        walk = RowWalk(path, opened, largest_held=0, part_bytes=100)
        walk.go()
    assert isinstance(walk.rows, RowFile)
    return walk.rows


def sent_of(of, seed, shard=(0, 1)):
    """Return every request of a run, with its headers and body, in no order."""
    ran = virtual_run(of, seed=seed, shard=shard)
    return Counter((e.request.target, e.request.headers, e.request.body) for e in ran.exchanges if e)


@settings(max_examples=15)
@given(
    st.integers(0, 2**31),
    st.integers(2, 3),
    st.sampled_from(["sequential", "random", "shuffled"]),
    st.sampled_from(["iteration", "request"]),
    st.sampled_from(sorted(TRAFFIC)),
)
def test_a_seed_decides_what_is_sent(large_file, seed, count, order, per, traffic):
    """With one seed the same is sent again, by one generator and by several together, byte for byte."""
    of = scenario(
        Phase("p", Closed(3, iterations=24)),
        endpoints=[endpoint(name, body=body) for name, body in BODIES.items()],
        traffic=TRAFFIC[traffic],
        feeders={"rows": Feeder("rows", large_file, order=order, per=per)},
        variables={"key": "{{ uuid() }} {{ rows.id }} {{ fake.name }}"},
    )
    whole = sent_of(of, seed)
    assert sent_of(of, seed) == whole
    parts = [sent_of(of, seed, (index, count)) for index in range(count)]
    assert sum(parts, Counter()) == whole
    assert all(parts)
    assert sent_of(of, seed + 1) != whole


def test_variants_are_exact_where_all_requests_send_them(large_file):
    """Over a whole number of blocks each variant is sent as often as its weight says, by all generators together."""
    of = scenario(
        Phase("p", Closed(3, iterations=8)),
        endpoints=[endpoint(name, body=body) for name, body in BODIES.items()],
        traffic=TRAFFIC["session"],
        feeders={"rows": Feeder("rows", large_file)},
        variables={"key": "x"},
    )
    sent = sum((sent_of(of, 5, (index, 3)) for index in range(3)), Counter())
    assert Counter(b'"n":1' in body for _, _, body in sent.elements()) == {True: 30, False: 10}


VARIED = Variants((Fraction(3), Fraction(1)), ({"n": 1}, {"n": 2}))


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("shards", [1, 3])
def test_variants_are_exact_for_each_endpoint_of_a_mix(shards, direct):
    """Whatever a mix sends between them, each endpoint's variants come as often as they weigh, in every phase."""
    endpoints = [endpoint(name, body=VARIED) for name in ("a", "b")]
    phases = [Phase(name, Closed(3, iterations=20)) for name in ("first", "second")]
    of = scenario(*phases, traffic=Mix({"a": Fraction(3), "b": Fraction(2)}), endpoints=endpoints)
    sent = Counter()
    for shard in range(shards):
        ran = virtual_run(of, seed=4, shard=(shard, shards), direct=direct)
        sent.update((e.request.target, e.request.body) for e in ran.exchanges)
    one, two = b'{"n":1}', b'{"n":2}'
    assert sent == {("/a", one): 18, ("/a", two): 6, ("/b", one): 12, ("/b", two): 4}


def test_variants_are_exact_for_the_messages_of_sessions():
    """Steps before and after the messages of a session take no variant away from them."""
    step = Step(Send("step", (), {}))
    session = Session("say", messages=2, open=(step,), close=(step, step))
    of = scenario(
        Phase("load", Closed(2, iterations=6)),
        traffic=session,
        endpoints=[endpoint("say", body=VARIED), endpoint("step")],
    )
    sent = Counter(e.request.body for e in virtual_run(of).exchanges if e.request.target == "/say")
    assert sent == {b'{"n":1}': 9, b'{"n":2}': 3}
