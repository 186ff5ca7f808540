"""The merging session queue, in virtual time: what each message becomes under any pattern of arrivals."""

from contextlib import suppress

import anyio
import pytest
from demo.bursts import FOR_EVER, RUN_S, Recorder, drive, in_virtual_time, sent
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.demo.queues import QUEUES, SEPARATOR, RunFailed
from stressrunner.demo.queues.merge import MergeQueue

# Eighths of a second, so that arrivals often coincide with each other and with the ends of runs.
moments = st.integers(0, 40).map(lambda eighths: eighths / 8)
arrivals = st.lists(st.tuples(moments, st.sampled_from("ab"), st.just(FOR_EVER)), max_size=25)
impatient = st.lists(
    st.tuples(moments, st.sampled_from("ab"), st.sampled_from([0.3, 1.3, 99.0])), max_size=25
)


@given(arrivals)
def test_every_message_is_processed_once_and_answered(pattern):
    """Whatever the arrivals, each message is in exactly one run, and its caller gets that run's reply."""
    recorder = Recorder()
    replies = drive(MergeQueue, pattern, recorder)
    for session in "ab":
        assert sorted(recorder.messages(session)) == sorted(sent(pattern, session))
    assert sorted(replies) == list(range(len(pattern)))
    for number, reply in replies.items():
        assert f"m{number}" in reply.content.split(SEPARATOR)
        assert reply.text == f"re: {reply.content}"
    assert recorder.most_at_once <= 1


@given(arrivals)
def test_order_of_arrival_is_kept(pattern):
    """A message that arrived earlier is never processed after one of its session that arrived later."""
    recorder = Recorder()
    drive(MergeQueue, pattern, recorder)
    for session in "ab":
        moments_processed = [pattern[int(m[1:])][0] for m in recorder.messages(session)]
        assert moments_processed == sorted(moments_processed)


@given(impatient)
def test_cancelled_callers_lose_nothing(pattern):
    """A caller that stops waiting takes no message with it: every message is still processed once."""
    recorder = Recorder()
    drive(MergeQueue, pattern, recorder)
    for session in "ab":
        assert sorted(recorder.messages(session)) == sorted(sent(pattern, session))


def test_messages_during_a_run_become_one():
    """The first message runs alone and at once; those that come meanwhile are joined by the separator."""
    recorder = Recorder()
    arrivals = [(0, "s", 9), (0.2, "s", 9), (0.4, "s", 9), (0.6, "s", 9)]
    replies = drive(MergeQueue, arrivals, recorder)
    assert recorder.kept == [("s", "m0"), ("s", "m1\n---\nm2\n---\nm3")]
    assert replies[0].content == "m0"
    assert replies[1] == replies[2] == replies[3]


def test_a_failed_run_fails_its_callers_and_no_others():
    """Everyone who shares a failed run is told; the messages that came after it are processed."""
    recorder = Recorder(failing=frozenset({"m0"}))
    outcomes = drive(MergeQueue, [(0, "s", 9), (0.5, "s", 9), (5, "s", 9)], recorder)
    assert outcomes[0] == "no"
    assert (outcomes[1].content, outcomes[2].content) == ("m1", "m2")
    assert recorder.messages("s") == ["m1", "m2"]


@pytest.mark.parametrize("queue", QUEUES)
def test_sessions_do_not_wait_for_each_other(queue):
    """Runs of different sessions go on side by side: ten take as long as one."""

    async def ten():
        began_s = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            made = QUEUES[queue](tasks, Recorder())
            for number in range(10):
                tasks.start_soon(made.submit, f"s{number}", "m")
        return anyio.current_time() - began_s

    assert in_virtual_time(ten) == pytest.approx(RUN_S)


@pytest.mark.parametrize("queue", QUEUES)
def test_messages_one_at_a_time_show_no_fault(queue):
    """Without concurrency every queue does the same: each message is kept once and alone, with its own reply."""
    recorder = Recorder()
    pattern = [(2 * number, "ab"[number % 2], FOR_EVER) for number in range(6)]
    replies = drive(QUEUES[queue], pattern, recorder)
    assert recorder.kept == [(session, f"m{number}") for number, (_, session, _) in enumerate(pattern)]
    assert [replies[number].content for number in range(6)] == [f"m{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("queue", "sessions"),
    [
        ("merge", "_waiting"),
        ("latest", "_current"),
        ("overlap", "_lanes"),
        ("hang", "_lines"),
        ("duplicate", "_mailboxes"),
    ],
)
def test_nothing_is_kept_of_an_idle_session(queue, sessions):
    """A queue forgets a session when its last run has ended, however many there were."""

    async def bring(submit, session):
        with suppress(RunFailed):
            await submit(session, "m")

    async def several():
        async with anyio.create_task_group() as tasks:
            made = QUEUES[queue](tasks, Recorder())
            for number in range(10):
                tasks.start_soon(bring, made.submit, f"s{number % 3}")
            await anyio.sleep(50)
            tasks.cancel_scope.cancel()  # those who hang
        return dict(getattr(made, sessions))

    assert in_virtual_time(several) == {}
