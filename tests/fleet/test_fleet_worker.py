"""A generator process, spoken to frame by frame: what it answers, and when it ends."""

import subprocess
import sys
import time
from dataclasses import replace

import pytest
from fleet.fleet_runs import ONE, Spoken, assignment
from fleet.recording_server import recording_server

from stressrunner.fleet.messages import (
    VERSION,
    Busy,
    Failed,
    Hello,
    Over,
    Ping,
    Poll,
    Pong,
    Start,
    Stop,
    Update,
    frame_of,
)
from stressrunner.metrics.wire import delta_from_wire

FOREVER = f"{ONE}load: {{concurrency: 2, duration: 60s}}"


@pytest.fixture
def server():
    """A server that remembers what it was sent."""
    with recording_server() as serving:
        yield serving


@pytest.fixture
def generator():
    """A generator process that waits for its assignment."""
    with Spoken() as process:
        yield process


def sent_of(update):
    """Return how many requests an update tells of."""
    return sum(series.sent for series in delta_from_wire(update.delta, 0).series.values())


def test_a_conversation(server, generator):
    """From hello to the final update; the updates together are what the server has seen."""
    assert generator.hello == Hello(VERSION)
    generator.arm(assignment(f"{ONE}load: {{rate: 50/s, duration: 1s}}", server.url))
    assert generator.ask(Ping()) == Pong()
    generator.send(Start(0.05))
    server.wait_for(10)
    first = generator.ask(Poll(0))
    assert (first.seq, first.is_final, first.phases) == (0, False, [0])
    assert generator.receive() == Over()
    last = generator.ask(Poll(1))
    assert (last.seq, last.is_final, last.phases) == (1, True, [])
    assert sent_of(first) + sent_of(last) == server.requests.total() == 50
    _, begin_ns, end_ns = last.spans_ns[0]
    assert 0 <= begin_ns < 50_000_000
    assert 990_000_000 <= end_ns - begin_ns < 1_100_000_000


def test_a_question_can_be_asked_again(server, generator):
    """The same number brings the same update, however much was counted meanwhile; the next one brings the rest."""
    generator.arm(assignment(FOREVER, server.url))
    generator.send(Start(0.0))
    server.wait_for(20)
    first = generator.ask(Poll(0))
    server.wait_for(server.requests.total() + 20)
    assert generator.ask(Poll(0)) == first
    assert sent_of(generator.ask(Poll(1))) >= 20


STARVED = """
endpoints:
  heavy: {post: /, body: "{% for i in range(8000) %}{{ i }},{% endfor %}"}
load: {concurrency: 40, requests: 80}
"""


def test_a_starved_generator_says_that_it_is_alive(server, generator):
    """A poll that finds the one before unanswered is answered without the event loop, and nothing measured is lost."""
    generator.arm(assignment(STARVED, server.url))
    generator.send(Start(0.0))
    server.wait_for(1)  # and for half a second the event loop does little but fill in bodies
    for _ in range(20):  # sooner than it comes round to answering more than a few of them
        generator.send(Poll(0))
    answers = [generator.receive() for _ in range(19)]  # all but perhaps the one of the loop
    assert Busy() in answers  # most of them, where this process has time to ask so fast
    updates = {said.seq: said for said in answers if isinstance(said, Update)}
    while not any(update.is_final for update in updates.values()):
        said = generator.receive()
        if isinstance(said, Update):
            updates[said.seq] = said
        generator.send(Poll(len(updates)))
    assert sum(map(sent_of, updates.values())) == server.requests.total() == 80


def test_stop_cuts_off(server, generator):
    """A load that is stopped is over at once, and what it measured can still be had."""
    generator.arm(assignment(FOREVER, server.url))
    generator.send(Start(0.0))
    server.wait_for(10)
    assert generator.ask(Stop()) == Over()
    last = generator.ask(Poll(0))
    assert last.is_final
    assert sent_of(last) >= server.requests.total() >= 10


def test_it_ends_with_its_pipe(server, generator):
    """When stdin closes in the middle of the load, as it does when a coordinator is killed, the process ends."""
    generator.arm(assignment(FOREVER, server.url))
    generator.send(Start(0.0))
    server.wait_for(10)
    closed_s = time.monotonic()
    generator.process.stdin.close()
    generator.process.wait(5)
    assert time.monotonic() - closed_s < 1.5
    assert "the coordinator has gone" in generator.complaints()


def test_it_ends_when_nobody_polls(server, generator):
    """A generator that is not polled for the length of its lease stops by itself, with its pipe still open."""
    generator.arm(assignment(FOREVER, server.url, lease_s=0.4))
    generator.send(Start(0.0))
    for seq in range(4):  # each of them renews the lease
        server.wait_for(server.requests.total() + 20)
        assert generator.ask(Poll(seq)).seq == seq
    polled_s = time.monotonic()
    assert "it was not polled for 0.4 s" in generator.complaints()
    assert 0.3 < time.monotonic() - polled_s < 3.0


def test_nothing_is_sent_before_the_start(server, generator):
    """A generator that is ready waits, and ends without a request when it is let go."""
    generator.arm(assignment(FOREVER, server.url))
    assert generator.ask(Ping()) == Pong()
    generator.process.stdin.close()
    generator.process.wait(5)
    assert server.requests.total() == 0


def test_an_assignment_that_makes_no_sense_is_answered(server, generator):
    """What cannot be compiled is told in a sentence, and the process ends by itself."""
    answer = generator.ask(replace(assignment(FOREVER, server.url), value={"name": "x"}))
    assert isinstance(answer, Failed)
    assert "cannot be compiled" in answer.reason
    assert generator.process.wait(5) == 0


def test_a_shard_that_does_not_exist_is_refused(server, generator):
    """A plan is never split further than it goes."""
    answer = generator.ask(assignment(FOREVER, server.url, index=2, count=3))
    assert isinstance(answer, Failed)
    assert "there is no shard 2 of 3" in answer.reason


@pytest.mark.parametrize(
    "octets", [b"GET / HTTP/1.1\r\n", b"\0\0\0\x02{}", frame_of(Poll(0)), b'\0\0\0\x0f{"kind":"init"}']
)
def test_another_protocol_ends_it(generator, octets):
    """What is no message, or none that has its place there, ends the process with a complaint."""
    generator.process.stdin.write(octets)
    generator.process.stdin.flush()
    assert generator.receive() is None
    assert generator.complaints()


def test_a_poll_out_of_order_ends_it(server, generator):
    """A number that is neither the last update's nor the next one's shows that something was lost."""
    generator.arm(assignment(FOREVER, server.url))
    generator.send(Start(0.0))
    server.wait_for(1)
    assert isinstance(generator.ask(Poll(0)), Update)
    assert generator.ask(Poll(5)) is None
    assert "there is no update 5" in generator.complaints()


STRAY = """
import os, subprocess, sys
from stressrunner.fleet.messages import Hello, Pong
from stressrunner.fleet.pipe import Pipe
print("before", flush=True)
pipe = Pipe.private()
print("stray", flush=True)
os.write(1, b"straight to the descriptor")
subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
assert sys.stdin.read() == ""
pipe.write(Hello(7))
print("after", flush=True)
assert pipe.read() == Pong()
assert pipe.read() is None
"""


def test_a_stray_print_breaks_nothing():
    """Whatever prints or reads standard input, also below Python and in children, the protocol has its own way."""
    done = subprocess.run(
        [sys.executable, "-c", STRAY], input=frame_of(Pong()), capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"before\n" + frame_of(Hello(7))
    for printed in (b"stray", b"straight to the descriptor", b"from a child", b"after"):
        assert printed in done.stderr
