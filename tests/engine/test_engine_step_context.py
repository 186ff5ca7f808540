"""An iteration on its way: what its branches share, what they have of their own, and what is left when they have ended."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_load import scenario

from stressrunner.engine.loop_watch import LEAST_NS, Late
from stressrunner.engine.names import IterationScope
from stressrunner.engine.sending import Due
from stressrunner.engine.step_context import Cursor, StepContext
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.model import Closed, Phase

BEGAN_NS = 7_000


PLAN = compile_plan(scenario(Phase("p", Closed(1, iterations=1))), seed=1, run_id="r1", uuid_salt="")


def context(**changes):
    """Return an iteration whose next request is due seven microseconds after the beginning."""
    return StepContext(
        IterationScope(PLAN, iteration=0, user=0, user_iteration=0),
        None,
        Due(0, BEGAN_NS),
        permit=None,
        **changes,
    )


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=4), st.integers(0, 5)
)
def test_numbers_of_messages_are_never_used_twice(nested, first):
    """Not by branches, by branches within them however many messages they send, nor by what follows."""
    whole = context(number=first)
    used = []

    def send(of, messages):
        for _ in range(messages):
            used.append(of.number)
            assert of.next_request(Cursor())["message"]["index"] == used[-1]

    outer = whole.branches(len(nested))
    for branch, counts in zip(outer, nested, strict=True):
        send(branch, 1)
        inner = branch.branches(len(counts))
        for innermost, messages in zip(inner, counts, strict=True):
            send(innermost, messages)
        branch.join(inner, BEGAN_NS)
        send(branch, 2)
    whole.join(outer, BEGAN_NS)
    send(whole, 2)
    assert len(set(used)) == len(used)
    assert min(used) == first


def test_branches_take_as_long_as_the_longest_without_its_pauses():
    """What they took beyond that are pauses, and the time before them is none."""
    whole = context(paused_ns=100)
    short, long, paused = branches = whole.branches(3)
    short.went_on(BEGAN_NS + 300)
    long.went_on(BEGAN_NS + 500)
    paused.went_on(BEGAN_NS + 900)
    paused.paused_ns += 450
    whole.join(branches, BEGAN_NS + 1_000)
    assert whole.paused_ns == 100 + 500
    assert whole.due.due_ns == BEGAN_NS + 1_000


@pytest.mark.parametrize(
    ("before", "branches", "after"),
    [
        (False, [False, False], False),
        (False, [False, True], True),
        (True, [False, False], True),
    ],
)
def test_one_request_in_a_wake_is_enough(before, branches, after):
    """An iteration was in the wake of a freeze when any request was, before its branches or in any of them."""
    whole = context(in_wake=before)
    parts = whole.branches(len(branches))
    for part, in_wake in zip(parts, branches, strict=True):
        part.was_late(Late(0, in_wake=in_wake))
    whole.join(parts, BEGAN_NS)
    assert whole.in_wake is after


def test_what_follows_branches_sees_the_response_that_came_last():
    """Whichever branch it was in; where none had one there is none."""
    whole = context()
    parts = whole.branches(4)
    responses = [None, *(SimpleNamespace(completed_ns=ns) for ns in (200, 900, 500))]
    for part, response in zip(parts, responses, strict=True):
        part.seen.latest = response
    whole.join(parts, BEGAN_NS)
    assert whole.seen.latest is responses[2]
    whole.join(context().branches(2), BEGAN_NS)
    assert whole.seen.latest is None


@pytest.mark.parametrize(
    ("added_ns", "in_wake", "late"),
    [
        (LEAST_NS - 1, False, None),
        (LEAST_NS, False, Late(LEAST_NS)),
        (LEAST_NS - 1, True, Late(0, in_wake=True)),
        (LEAST_NS, True, Late(LEAST_NS, in_wake=True)),
    ],
)
def test_own_time_counts_from_a_millisecond_on(added_ns, in_wake, late):
    """Less is none; a wake counts without any."""
    whole = context(own_ns=50)
    whole.was_late(Late(added_ns, in_wake=in_wake))
    assert whole.late_since(50) == late


def test_draws_differ_in_every_pass_of_a_loop():
    """What is drawn depends on the pass, on the passes of the loops around it, on the step, and on what it is for."""
    outside = Cursor(4)
    passes = [outside.in_loop(n, 2, {}, is_planned=True) for n in range(3)]
    nested = [each.in_loop(n, 1, {}, is_planned=True) for each in passes for n in range(2)]
    places = [outside, Cursor(5), *passes, *nested]
    uses = [cursor.use(what) for cursor in places for what in ("", "think")]
    assert None not in uses
    assert len(set(uses)) == len(uses)
    assert [cursor.slot + cursor.shift for cursor in nested] == [4, 5, 6, 7, 8, 9]
    assert (Cursor().slot, Cursor().shift) == (0, 0)  # the first request takes the first row
    assert not any(
        cursor.in_loop(1, 1, {}, is_planned=True).is_planned for cursor in [Cursor(is_planned=False)]
    )
