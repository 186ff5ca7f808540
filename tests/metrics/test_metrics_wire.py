"""Deltas that cross a pipe: what is read back counts the same, wherever the reader's clock stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_samples import sample

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.loop_watch import Late
from stressrunner.metrics.aggregator import Aggregator, PhaseOutline
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.lateness import LateTimes
from stressrunner.metrics.wire import delta_from_wire, delta_to_wire
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.reply import Reply

ORIGIN_NS = 5_000_000_000

problems = st.builds(
    Problem, st.sampled_from(["check", "http 500", "reset"]), st.text(max_size=5), st.text(max_size=5)
)
samples = st.builds(
    lambda problem, **fields: sample(
        ORIGIN_NS / 1e6 + fields.pop("after_ms"),
        problem=problem if fields["outcome"] is Outcome.FAILED else None,
        **fields,
    ),
    problems,
    after_ms=st.floats(0, 1e5),
    took_ms=st.floats(0, 1e5),
    outcome=st.sampled_from(Outcome),
    endpoint=st.integers(0, 2),
    phase=st.integers(0, 1),
    status=st.sampled_from([0, 200, 500]),
    never=st.booleans(),
    connect_ns=st.none() | st.integers(0, 10**9),
    bytes_sent=st.integers(0, 10**9),
)


own_times = st.sampled_from([0, 10**6, 10**8])
lates = st.builds(Late, own_times, own_times, own_times, own_times, st.booleans(), st.booleans())
moments = st.integers(ORIGIN_NS, 10**13)
attempts = st.builds(
    Attempt,
    session=st.integers(0, 10**6),
    message=st.integers(0, 10**6),
    burst=st.integers(0, 10**6),
    phase=st.integers(0, 9),
    sent_ns=moments,
    ended_ns=moments,
    reply=st.sampled_from(Reply),
    status=st.integers(0, 599),
    session_id=st.text(max_size=5),
)


@st.composite
def deltas(draw):
    """Return a delta of anything that can be counted."""
    delta = Delta()
    delta.extend(draw(st.lists(samples, max_size=8)))
    for count in draw(st.lists(st.integers(1, 9), max_size=2)):
        delta.record_dropped(0, 1, count)
        delta.record_skipped(1, 0, count)
    for length_ns in draw(st.lists(st.integers(0, 10**12), max_size=3)):
        delta.record_group(0, "session", length_ns)
        delta.stalls.record(length_ns)
        delta.collections.record(length_ns // 2)
    for phase, late in enumerate(draw(st.lists(lates, max_size=2))):
        delta.record_group(phase, "flow", None)
        delta.record_group(phase, "flow", 10**9, late)
        delta.record_iteration(phase, in_error=late.is_ours)
        delta.record_excluded("setup", sample(outcome=Outcome.FAILED))
        delta.late_arrivals[phase] += 1 + late.in_wake
    for name in ("in_flight", "not_set_up", "absent_ns", "idle_ns", "freezes"):
        setattr(delta, name, draw(st.integers(0, 99)))
    delta.add_tokens(
        draw(st.integers(0, 9)), draw(st.integers(0, 9)), draw(st.lists(st.text(max_size=3), max_size=2))
    )
    delta.attempts = draw(st.lists(attempts, max_size=3))
    return delta


def across(delta, there_ns=ORIGIN_NS, here_ns=ORIGIN_NS):
    """Return a delta as it is on the other side of a pipe, by a clock that may be another one."""
    return delta_from_wire(json.loads(json.dumps(delta_to_wire(delta, there_ns))), here_ns)


def summary_of(*parts, origin_ns=ORIGIN_NS):
    """Return the summary of deltas."""
    aggregator = Aggregator(
        "abc", [PhaseOutline("p", False, None), PhaseOutline("q", False, None)], origin_ns
    )
    for delta in parts:
        aggregator.add(delta, origin_ns, origin_ns + 10**9)
    return aggregator.summary({0: (origin_ns, origin_ns), 1: (origin_ns, origin_ns)})


@given(deltas())
def test_a_delta_survives_the_pipe(delta):
    """What is read back is the same in every part, and so is written alike again."""
    assert delta_to_wire(across(delta), ORIGIN_NS) == delta_to_wire(delta, ORIGIN_NS)
    assert summary_of(across(delta)) == summary_of(delta)
    assert across(delta).attempts == delta.attempts


@given(deltas(), deltas())
def test_wire_copies_merge_as_originals(one, other):
    """Merging what was read back is merging what was counted."""
    copies, originals = Delta(), Delta()
    for delta in (one, other):
        copies.merge(across(delta))
        originals.merge(delta)
    assert delta_to_wire(copies, ORIGIN_NS) == delta_to_wire(originals, ORIGIN_NS)


@given(deltas(), st.integers(1, 10**15))
def test_moments_are_told_by_the_readers_clock(delta, here_ns):
    """A generator whose clock stands elsewhere makes the same summary: only distances from the start cross."""
    assert summary_of(across(delta, here_ns=here_ns), origin_ns=here_ns) == summary_of(delta)


def test_every_slot_of_a_cell_crosses():
    """No count or histogram of a series is forgotten, also of those that are added one day."""
    delta = Delta()
    series = delta.series_of(0, 0)
    for number, name in enumerate(series.__slots__, start=1):
        value = getattr(series, name)
        if isinstance(value, int):
            setattr(series, name, number)
        elif isinstance(value, list):
            value[0] = number
        elif name == "status":
            value[200] = number
        elif name == "late_times":
            for part in ("measured", "without", "wake"):
                getattr(value.setdefault("ttfb", LateTimes()), part).record(number)
        else:
            value.record(number)
    read = across(delta).series_of(0, 0)
    fresh = Delta().series_of(0, 0)
    for name in series.__slots__:
        theirs, ours = getattr(read, name), getattr(series, name)
        if name == "late_times":
            theirs, ours = theirs["ttfb"].measured, ours["ttfb"].measured
        assert getattr(theirs, "counts", theirs) == getattr(ours, "counts", ours)
        assert getattr(theirs, "counts", theirs) != getattr(
            getattr(fresh, name), "counts", getattr(fresh, name)
        )


def spoiled(change):
    """Return the wire form of a delta with one part changed."""
    delta = Delta()
    delta.extend([sample(), sample(outcome=Outcome.FAILED)])
    wire = delta_to_wire(delta, 0)
    change(wire)
    return wire


@pytest.mark.parametrize(
    "change",
    [
        lambda wire: wire.pop("series"),
        lambda wire: wire.update(series=[[0]]),
        lambda wire: wire.update(errors=[["check"]]),
        lambda wire: wire["series"][0][2]["times"].pop("lag"),
        lambda wire: wire["series"][0][2]["times"]["lag"].__setitem__(0, 99),
        lambda wire: wire["series"][0][2]["times"]["lag"].append(1),
        lambda wire: wire["series"][0][2].pop("outcomes"),
    ],
)
def test_what_is_no_delta_is_refused(change):
    """Parts that are missing, of another form or in contradiction are a ValueError and nothing else."""
    with pytest.raises(ValueError):
        delta_from_wire(spoiled(change), 0)
