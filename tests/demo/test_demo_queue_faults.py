"""The other session queues, in virtual time: each goes wrong in its own way, and in no other."""

import re
from collections import Counter
from random import Random

import anyio
import pytest
from demo.bursts import FOR_EVER, Recorder, drive, in_virtual_time, sent
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.demo.agents import Model
from stressrunner.demo.queues import QUEUES, SEPARATOR, SUPERSEDED, RunFailed
from stressrunner.demo.store import Store
from stressrunner.hosting.simulation import Faults, ModelDelay

moments = st.integers(0, 40).map(lambda eighths: eighths / 8)
arrivals = st.lists(st.tuples(moments, st.sampled_from("ab"), st.just(FOR_EVER)), max_size=25)
waiting = st.lists(st.tuples(moments, st.sampled_from("ab"), st.just(99.0)), max_size=25)
BURST = [(number / 16, "s", 99.0) for number in range(6)]  # all of it within the first run


def superseded(outcomes):
    """Return the messages whose callers were told that there is no response."""
    return {f"m{number}" for number, outcome in outcomes.items() if outcome == SUPERSEDED}


@given(arrivals)
def test_latest_answers_a_message_or_forgets_it(pattern):
    """A message is answered and kept once and alone, or its caller is told that it is not and it never is."""
    recorder = Recorder()
    outcomes = drive(QUEUES["latest"], pattern, recorder)
    assert sorted(outcomes) == list(range(len(pattern)))
    for session in "ab":
        answered = set(sent(pattern, session)) - superseded(outcomes)
        assert sorted(recorder.messages(session)) == sorted(answered)
        assert bool(answered) == bool(sent(pattern, session))  # the last one always is
    assert all(SEPARATOR not in text for _, text in recorder.kept)


def test_latest_keeps_the_last_of_a_burst():
    """Of a burst within one run only the last message is answered and kept."""
    recorder = Recorder()
    outcomes = drive(QUEUES["latest"], BURST, recorder)
    assert superseded(outcomes) == {"m0", "m1", "m2", "m3", "m4"}
    assert recorder.kept == [("s", "m5")]


@given(arrivals)
def test_overlap_keeps_what_it_had_begun(pattern):
    """Every caller hears something, nothing is kept twice, and all that was answered is kept."""
    recorder = Recorder()
    outcomes = drive(QUEUES["overlap"], pattern, recorder)
    assert sorted(outcomes) == list(range(len(pattern)))
    for session in "ab":
        kept = Counter(recorder.messages(session))
        assert set(kept.values()) <= {1}
        assert set(sent(pattern, session)) - superseded(outcomes) <= set(kept)
        at_s = [pattern[int(m[1:])][0] for m in recorder.messages(session)]
        assert at_s == sorted(at_s)
    assert recorder.most_at_once <= 2


def test_overlap_stores_what_it_said_it_did_not():
    """Of a burst the two that found a worker are kept though superseded; those that did not are gone."""
    recorder = Recorder()
    outcomes = drive(QUEUES["overlap"], BURST, recorder)
    assert superseded(outcomes) == {"m0", "m1", "m2", "m3", "m4"}
    assert sorted(recorder.messages("s")) == ["m0", "m1", "m5"]


@given(waiting)
def test_hang_processes_all_and_answers_the_last(pattern):
    """Each message is kept once, alone and in order; a caller gets the own reply or none at all."""
    recorder = Recorder()
    outcomes = drive(QUEUES["hang"], pattern, recorder)
    for session in "ab":
        messages = recorder.messages(session)
        assert sorted(messages) == sorted(sent(pattern, session))
        at_s = [pattern[int(m[1:])][0] for m in messages]
        assert at_s == sorted(at_s)
    assert all(reply.content == f"m{number}" for number, reply in outcomes.items())


def test_hang_forgets_the_early_callers_of_a_burst():
    """Of a burst only the last caller hears anything, though all of it was processed."""
    recorder = Recorder()
    outcomes = drive(QUEUES["hang"], BURST, recorder)
    assert list(outcomes) == [5]
    assert recorder.messages("s") == [f"m{number}" for number in range(6)]


@given(arrivals)
def test_duplicate_loses_nothing(pattern):
    """Each message is kept once or twice, and every caller gets the own reply."""
    recorder = Recorder()
    outcomes = drive(QUEUES["duplicate"], pattern, recorder)
    assert [outcomes[number].content for number in range(len(pattern))] == [
        f"m{number}" for number in range(len(pattern))
    ]
    for session in "ab":
        kept = Counter(recorder.messages(session))
        assert set(kept) == set(sent(pattern, session))
        assert set(kept.values()) <= {1, 2}
    assert recorder.most_at_once <= 2


def test_duplicate_repeats_what_was_in_progress():
    """The message whose run misses a wake-up is processed by two workers; what comes after it by one."""
    recorder = Recorder()
    drive(QUEUES["duplicate"], BURST, recorder)
    assert Counter(recorder.messages("s")) == {"m0": 2, "m1": 1, "m2": 1, "m3": 1, "m4": 1, "m5": 1}


def test_misroute_keeps_a_message_in_the_session_that_came_last():
    """With two sessions active the exchange of the first one lands in the other; each is answered rightly."""
    recorder = Recorder()
    outcomes = drive(QUEUES["misroute"], [(0, "a", 9), (0.5, "b", 9), (5, "a", 9)], recorder)
    assert recorder.kept == [("b", "m0"), ("b", "m1"), ("a", "m2")]
    assert [outcomes[number].content for number in range(3)] == ["m0", "m1", "m2"]


@given(st.lists(moments, max_size=25))
def test_misroute_is_right_for_one_session(moments_s):
    """While no other session is active each message is kept once and where it belongs."""
    recorder = Recorder()
    pattern = [(at_s, "a", FOR_EVER) for at_s in moments_s]
    drive(QUEUES["misroute"], pattern, recorder)
    assert sorted(recorder.messages("a")) == sorted(sent(pattern, "a"))


def traits(queue, seed):
    """Send what `session_queue.yaml` sends to a model that takes 5 ms; return all that went wrong or was merged.

    Ten sessions of twenty messages, a millisecond apart as far as the fifty connections allow it.
    """
    store = Store()
    model = Model(store, ModelDelay(0.005, 0.005, seed), Faults(0, seed))
    jitter = Random(seed)
    replies = Counter()

    async def call(submit, limit, session, number):
        with anyio.move_on_after(2) as patience:
            try:
                await submit(session.id, f"{session.name}/{number}")
                replies["acknowledged"] += 1
            except RunFailed:
                replies["superseded"] += 1
        replies["unanswered"] += patience.cancelled_caught
        limit.release()

    async def chat(tasks, submit, limit, session):
        for number in range(20):
            await limit.acquire()
            tasks.start_soon(call, submit, limit, session, number)
            await anyio.sleep(0.001 * (0.5 + jitter.random()))

    async def load():
        async with anyio.create_task_group() as runs:
            submit, limit = QUEUES[queue](runs, model).submit, anyio.Semaphore(50)
            async with anyio.create_task_group() as callers:
                for number in range(10):
                    callers.start_soon(chat, callers, submit, limit, store.begin_session(f"s{number}"))

    in_virtual_time(load)
    kept = Counter()
    texts = [(s.name, m.content) for s in store.sessions for m in s.messages if m.role == "user"]
    for owner, text in texts:
        tokens = text.split(SEPARATOR)
        kept.update(tokens)
        replies["merged"] += len(tokens) > 1
        replies["misrouted"] += any(token.split("/")[0] != owner for token in tokens)
    for session in store.sessions:
        numbers = [
            int(n) for m in session.messages if m.role == "user" for n in re.findall(r"/(\d+)", m.content)
        ]
        replies["reordered"] += numbers != sorted(numbers)
    replies["duplicated"] = sum(count > 1 for count in kept.values())
    replies["stored"] = kept.total()
    replies["missing"] = 200 - len(kept)
    return replies


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("queue", "shows"),
    [
        ("merge", {"merged"}),
        ("latest", {"superseded", "missing"}),
        ("overlap", {"superseded", "missing"}),
        ("hang", {"unanswered"}),
        ("duplicate", {"duplicated"}),
        ("misroute", {"merged", "misrouted"}),
    ],
)
def test_every_run_shows_the_same_picture(queue, shows, seed):
    """Whatever the timing, a burst brings out the queue's own faults, and no others."""
    found = traits(queue, seed)
    faults = found.keys() & {"merged", "superseded", "missing", "unanswered", "duplicated", "misrouted"}
    assert {name for name in faults if found[name]} == shows
    if queue not in {"duplicate", "misroute"}:
        assert not found["reordered"]
    is_contradicted = found["stored"] > found["acknowledged"]
    assert is_contradicted == (queue in {"overlap", "hang", "duplicate"})
