"""The merging session queue, in virtual time: what each message becomes under any pattern of arrivals."""

from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from stressrunner.demo.session_queue import QUEUES, SEPARATOR, MergeQueue, Reply, RunFailed

RUN_S = 1.0


@dataclass
class Recorder:
    """A run of RUN_S virtual seconds that notes what it processed; texts in `failing` end without a reply."""

    failing: frozenset[str] = frozenset()
    processed: list[tuple[str, str]] = field(default_factory=list)
    running: set[str] = field(default_factory=set)

    async def __call__(self, session, content):
        """Process a text as a run does."""
        assert session not in self.running, "two runs of one session overlap"
        self.running.add(session)
        await anyio.sleep(RUN_S)
        self.running.remove(session)
        self.processed.append((session, content))
        if content in self.failing:
            raise RunFailed("no")
        return Reply(f"re: {content}", content)


def in_virtual_time(function):
    """Run an async function under a clock that jumps to the next moment at which something happens."""
    return anyio.run(function, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})


async def drive(arrivals, run):
    """Submit (at_s, session, patience_s) arrivals, numbered by position; return the replies by number."""
    replies = {}

    async def caller(number, at_s, session, patience_s):
        await anyio.sleep(at_s)
        with anyio.move_on_after(patience_s):
            replies[number] = await queue.submit(session, f"m{number}")

    async with anyio.create_task_group() as tasks:
        queue = MergeQueue(tasks, run)
        for number, arrival in enumerate(arrivals):
            tasks.start_soon(caller, number, *arrival)
    return replies


# Eighths of a second, so that arrivals often coincide with each other and with the ends of runs.
moments = st.integers(0, 40).map(lambda eighths: eighths / 8)
arrivals = st.lists(st.tuples(moments, st.sampled_from("ab"), st.just(float("inf"))), max_size=25)
impatient = st.lists(
    st.tuples(moments, st.sampled_from("ab"), st.sampled_from([0.3, 1.3, 99.0])), max_size=25
)


def messages(processed, session):
    """Return every message of a session in the order in which it was processed."""
    return [m for owner, content in processed if owner == session for m in content.split(SEPARATOR)]


@given(arrivals)
def test_every_message_is_processed_once_and_answered(pattern):
    """Whatever the arrivals, each message is in exactly one run, and its caller gets that run's reply."""
    run = Recorder()
    replies = in_virtual_time(lambda: drive(pattern, run))
    for session in "ab":
        sent = [f"m{number}" for number, (_, owner, _) in enumerate(pattern) if owner == session]
        assert sorted(messages(run.processed, session)) == sorted(sent)
    assert sorted(replies) == list(range(len(pattern)))
    for number, reply in replies.items():
        assert f"m{number}" in reply.content.split(SEPARATOR)
        assert reply.text == f"re: {reply.content}"


@given(arrivals)
def test_order_of_arrival_is_kept(pattern):
    """A message that arrived earlier is never processed after one of its session that arrived later."""
    run = Recorder()
    in_virtual_time(lambda: drive(pattern, run))
    for session in "ab":
        moments_processed = [pattern[int(m[1:])][0] for m in messages(run.processed, session)]
        assert moments_processed == sorted(moments_processed)


@given(impatient)
def test_cancelled_callers_lose_nothing(pattern):
    """A caller that stops waiting takes no message with it: every message is still processed once."""
    run = Recorder()
    in_virtual_time(lambda: drive(pattern, run))
    for session in "ab":
        sent = [f"m{number}" for number, (_, owner, _) in enumerate(pattern) if owner == session]
        assert sorted(messages(run.processed, session)) == sorted(sent)


def test_messages_during_a_run_become_one():
    """The first message runs alone and at once; those that come meanwhile are joined by the separator."""
    run = Recorder()

    arrivals = [(0, "s", 9), (0.2, "s", 9), (0.4, "s", 9), (0.6, "s", 9)]
    replies = in_virtual_time(lambda: drive(arrivals, run))
    assert run.processed == [("s", "m0"), ("s", "m1\n---\nm2\n---\nm3")]
    assert replies[0].content == "m0"
    assert replies[1] == replies[2] == replies[3]


def test_sessions_do_not_wait_for_each_other():
    """Runs of different sessions go on side by side: ten take as long as one."""

    async def ten():
        began = anyio.current_time()
        await drive([(0, f"s{number}", 99) for number in range(10)], Recorder())
        return anyio.current_time() - began

    assert in_virtual_time(ten) == pytest.approx(RUN_S)


def test_a_failed_run_fails_its_callers_and_no_others():
    """Everyone who shares a failed run is told; the messages that came after it are processed."""
    run = Recorder(failing=frozenset({"first"}))
    outcomes = {}

    async def submit(queue, at_s, content):
        await anyio.sleep(at_s)
        try:
            outcomes[content] = (await queue.submit("s", content)).content
        except RunFailed as failure:
            outcomes[content] = str(failure)

    async def sequence():
        async with anyio.create_task_group() as tasks:
            queue = MergeQueue(tasks, run)
            tasks.start_soon(submit, queue, 0, "first")
            tasks.start_soon(submit, queue, 0.5, "second")
            tasks.start_soon(submit, queue, 5, "third")

    in_virtual_time(sequence)
    assert outcomes == {"first": "no", "second": "second", "third": "third"}


def test_nothing_is_kept_of_an_idle_session():
    """A queue forgets a session when its last run has ended, however many there were."""

    async def several():
        async with anyio.create_task_group() as tasks:
            queue = QUEUES["merge"](tasks, Recorder())
            for number in range(5):
                await queue.submit(f"s{number}", "m")
            await anyio.sleep(0.01)
            return dict(queue._waiting)

    assert in_virtual_time(several) == {}
