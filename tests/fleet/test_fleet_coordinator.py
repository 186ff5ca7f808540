"""What a coordinator makes of its generators, in virtual time: of good ones, and of each way to go wrong."""

from collections import deque
from collections.abc import Callable
from fractions import Fraction

import anyio
import pytest
import trio
import trio.testing
from engine.virtual_load import scenario
from fleet.fleet_runs import Recording
from metrics.metrics_samples import sample

from stressrunner.engine.clock import EventLoopClock
from stressrunner.fleet.messages import (
    VERSION,
    Assignment,
    Busy,
    Failed,
    Hello,
    Over,
    Ping,
    Poll,
    Pong,
    Ready,
    Start,
    Stop,
    Update,
)
from stressrunner.fleet.processes import ProcessFleet, Work
from stressrunner.fleet.size import cores, fleet_size
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.wire import delta_to_wire
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.model import Closed, Open, Phase

SECONDS = 5


class FakeGenerator:
    """A channel to a generator that sends one request a second for five seconds; its parts can be replaced."""

    def __init__(self, clock, **parts: Callable) -> None:
        self._clock = clock
        self._parts = parts
        self._said: deque = deque()
        self._news = anyio.Event()
        self._begun_ns: int | None = None
        self._told = 0
        self._end_s = float(SECONDS)
        self._said_over = False
        self.started_s = 0.0
        self.polls: list[int] = []
        self.was_killed = False
        self._say(parts.get("hello", lambda: Hello(VERSION))())

    def _say(self, message) -> None:
        if message is not None:
            self._said.append(message)
            self._news.set()

    @property
    def _at_s(self) -> float:
        return (self._clock.now_ns() - (self._begun_ns or 0)) / 1e9

    async def send(self, message) -> None:
        """Answer as a generator does."""
        answer = self._parts.get(type(message).__name__.lower())
        if answer is not None:
            self._say(answer(self, message))
            return
        match message:
            case Assignment():
                self._say(Ready("fake", "trio"))
            case Ping():
                self._say(Pong())
            case Start(in_s):
                self.started_s = in_s
                self._begun_ns = self._clock.now_ns() + round(in_s * 1e9)
            case Poll(seq):
                self.polls.append(seq)
                self._say(self.update(seq))
            case Stop():
                self._end_s = min(self._end_s, self._at_s)

    def update(self, seq: int) -> Update:
        """Return the next update, with a request for every second that has passed."""
        delta = Delta()
        seconds = int(min(self._at_s, self._end_s))
        delta.extend([sample(second * 1000) for second in range(self._told, seconds)])
        self._told = seconds
        is_final = self._at_s >= self._end_s
        delta.in_flight = 0 if is_final else 1
        span = [0, 0, round(min(self._at_s, self._end_s) * 1e9)]
        return Update(seq, is_final, delta_to_wire(delta, 0), [] if is_final else [0], [span], "")

    async def receive(self):
        """Return the next message; `Over` when the load has ended."""
        while not self._said:
            if self._begun_ns is not None and not self._said_over and self._at_s >= self._end_s:
                self._said_over = True
                return Over()
            self._news = anyio.Event()
            with anyio.move_on_after(0.1):
                await self._news.wait()
        return self._said.popleft()

    async def cause(self) -> str:
        """Return what a process that was killed shows."""
        return "signal 9"

    def kill(self) -> None:
        """Remember it."""
        self.was_killed = True


class Fleet:
    """A fleet of fakes that has been run: its summary, its handles' channels and what was heard."""

    def __init__(self, *parts, observer=None, of=None) -> None:
        async def main() -> None:
            clock = EventLoopClock()
            plan = compile_plan(of or scenario(Phase("p", Closed(8, iterations=8))), seed=1, run_id="r")
            self.channels = [FakeGenerator(clock, **each) for each in parts]
            self.fleet = ProcessFleet(plan, Work({}, {}, "http://x"), self.channels, clock)
            self.observer = observer or Recording()
            begun_s = anyio.current_time()
            with anyio.fail_after(1000):
                self.summary = await self.fleet.execute(self.observer)
            self.took_s = anyio.current_time() - begun_s

        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_load_is_followed_to_its_end():
    """Polled once a second and once at the end, two generators add up."""
    ran = Fleet({}, {})
    assert ran.summary.totals.sent == 2 * SECONDS
    assert ran.summary.duration_s == pytest.approx(SECONDS, abs=0.01)
    assert ran.fleet.losses == ()
    assert (ran.fleet.transport, ran.fleet.loop) == ("fake", "trio")
    assert [channel.polls[:4] for channel in ran.channels] == [[0, 1, 2, 3]] * 2
    assert ran.took_s < SECONDS + 0.1
    assert all(0 < channel.started_s < 0.1 for channel in ran.channels)
    assert not any(channel.was_killed for channel in ran.channels)


def test_generators_that_end_at_different_times():
    """The load lasts until the last of them; what runs is told by those that still run."""
    early = {
        "start": lambda me, message: (
            setattr(me, "_end_s", 1.5) or setattr(me, "_begun_ns", me._clock.now_ns())
        )
    }
    ran = Fleet(early, {})
    assert ran.summary.totals.sent == 1 + SECONDS
    assert [snapshot.delta.in_flight for snapshot in ran.observer.snapshots[:3]] == [2, 1, 1]
    assert [snapshot.phases for snapshot in ran.observer.snapshots[:3]] == [{0}, {0}, {0}]
    assert ran.observer.snapshots[-1].phases == frozenset()


def test_a_lost_answer_is_asked_for_again():
    """An answer that does not come is asked for once more in the next second, under the same number."""
    lost = []

    def forgetful(me, message):
        if message.seq == 1 and not lost:
            lost.append(message)
            return None
        return me.update(message.seq)

    ran = Fleet({"poll": forgetful})
    assert len(lost) == 1
    assert ran.summary.totals.sent == SECONDS
    assert ran.fleet.losses == ()


def test_an_answer_that_comes_twice_counts_once():
    """An update that has arrived already is not counted again."""
    told = {}

    def twice(me, message):
        if message.seq not in told:
            told[message.seq] = me.update(message.seq)
        me._say(told[message.seq])
        return told[message.seq]

    ran = Fleet({"poll": twice})
    assert ran.summary.totals.sent == SECONDS
    assert ran.fleet.losses == ()


def at_poll(number, answer):
    """Return a generator that answers its poll of a number in another way."""
    return {"poll": lambda me, message: answer if message.seq == number else me.update(message.seq)}


def silent(me, message):
    """Answer two polls, and then none."""
    return me.update(message.seq) if message.seq < 2 else None


@pytest.mark.parametrize(
    ("parts", "loss"),
    [
        ({"poll": silent}, "was given up 13.0 s into the load (it has not answered for 10 s)"),
        (at_poll(2, Pong()), "said what makes no sense 3.0 s into the load (Pong has no place here)"),
        (
            at_poll(2, Update(7, False, None, [], [], "")),
            "said what makes no sense 3.0 s into the load (update 7 came before update 2)",
        ),
        (
            at_poll(2, Update(2, False, {}, [], [], "")),
            "said what makes no sense 3.0 s into the load (this is no delta",
        ),
    ],
)
def test_a_generator_that_goes_wrong_ends_the_load(parts, loss):
    """It is killed, the others are stopped, and what both have measured until then stays."""
    forever = {
        "start": lambda me, message: (
            setattr(me, "_end_s", 1e6) or setattr(me, "_begun_ns", me._clock.now_ns())
        )
    }
    ran = Fleet(forever, {**forever, **parts})
    assert len(ran.fleet.losses) == 1
    assert ran.fleet.losses[0].startswith(f"generator 2 of 2 {loss}")
    assert [channel.was_killed for channel in ran.channels] == [False, True]
    assert ran.summary.totals.sent >= 4
    assert ran.took_s < 20


def busy_until(end_s):
    """Return a generator that is starved from its third poll on until a moment: all it says is that it is alive."""

    def starved(me, message):
        return Busy() if message.seq >= 2 and me._at_s < end_s else me.update(message.seq)

    return {"poll": starved, "start": on_and_on}


def on_and_on(me, message):
    """Begin a load that only a stop ends, and not before the generator is no longer starved."""
    me._end_s, me._begun_ns = 1e6, me._clock.now_ns()


def test_nothing_of_a_busy_generator_is_lost():
    """One that hands nothing over for five leases, and says that it is alive, is waited for: all of it arrives."""
    ran = Fleet(busy_until(52), {"start": on_and_on}, observer=Recording(60))
    assert ran.fleet.losses == ()
    assert not any(channel.was_killed for channel in ran.channels)
    seconds = [channel._told for channel in ran.channels]
    assert ran.summary.totals.sent == sum(seconds)
    assert min(seconds) >= 59
    assert ran.observer.snapshots[30].delta.series.keys() == {(0, 0)}  # the others' figures come on time


def test_a_busy_generator_is_given_up_in_the_end():
    """After six leases without anything handed over, a generator that is alive is given up, and named."""
    ran = Fleet(busy_until(1e9), {"start": on_and_on})
    assert len(ran.fleet.losses) == 1
    assert ran.fleet.losses[0].startswith("generator 1 of 2 was given up 6")
    assert "it is alive, and has handed nothing over for 60 s" in ran.fleet.losses[0]
    assert ran.took_s < 70


@pytest.mark.parametrize(("end_s", "losses"), [(9, 0), (1e9, 1)])
def test_a_busy_generator_has_ten_seconds_to_stop(end_s, losses):
    """What it has measured is waited for that long; then it is ended by force."""
    ran = Fleet(busy_until(end_s), observer=Recording(4))
    assert len(ran.fleet.losses) == losses
    assert all("it did not stop within 10 s" in loss for loss in ran.fleet.losses)
    assert ran.summary.totals.sent == ran.channels[0]._told
    assert ran.took_s < 16


def test_a_generator_that_does_not_stop_is_ended_by_force():
    """Two seconds are enough for an answer to `Stop`."""
    deaf = {"stop": lambda me, message: None}
    ran = Fleet(deaf, {}, observer=Recording(2))
    assert ran.fleet.losses == (
        "generator 1 of 2 was ended by force 4.0 s into the load (it did not stop within 2 s)",
    )
    assert ran.summary.totals.sent >= 4


@pytest.mark.parametrize(
    ("parts", "loss"),
    [
        ({"hello": lambda: Hello(99)}, "does not speak this protocol: it speaks version 99, and this is 2"),
        ({"hello": Pong}, "does not speak this protocol: expected Hello, got Pong"),
        ({"assignment": lambda *_: None}, "was not ready within 30 s"),
        ({"assignment": lambda *_: Failed("there is no room", "make some")}, "there is no room; make some"),
        ({"ping": lambda *_: Over()}, "does not speak this protocol: expected Pong, got Over"),
    ],
)
def test_without_all_generators_nothing_is_sent(parts, loss):
    """One that does not get ready keeps the others from starting, and the reason is told."""
    ran = Fleet({}, parts)
    assert len(ran.fleet.losses) == 1
    assert loss in ran.fleet.losses[0]
    assert ran.fleet.losses[0].startswith("generator 2 of 2")
    assert ran.channels[0].started_s == 0.0
    assert (ran.summary.totals.planned, ran.summary.totals.sent) == (8, 0)
    assert ran.channels[1].was_killed


def test_a_load_that_is_stopped_before_it_begins():
    """A stop while generators get ready ends the waiting, and nothing is sent."""

    async def main() -> None:
        clock = EventLoopClock()
        channel = FakeGenerator(clock, assignment=lambda *_: None)
        plan = compile_plan(scenario(Phase("p", Closed(1, iterations=8))), seed=1, run_id="r")
        fleet = ProcessFleet(plan, Work({}, {}, "http://x"), [channel], clock)
        async with anyio.create_task_group() as tasks:

            async def stop_soon() -> None:
                await anyio.sleep(1)
                fleet.stop()

            tasks.start_soon(stop_soon)
            summary = await fleet.execute(Recording())
        assert anyio.current_time() < 2
        assert summary.totals.sent == 0
        assert fleet.losses == ()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    ("wanted", "shapes", "changes", "size"),
    [
        (3, [Closed(8, iterations=80)], {}, 3),
        (0, [Closed(8, iterations=80)], {}, 0),
        (9, [Closed(8, iterations=80), Closed(4, iterations=80)], {}, 4),
        (9, [Closed(1, duration_s=Fraction(9), concurrency_from=5)], {}, 5),
        (9, [Open(Fraction(5), Fraction(9), max_in_flight=6)], {}, 6),
        (9, [Closed(8, iterations=80)], {"connections": 2}, 2),
        (9999, [Open(Fraction(5), Fraction(9))], {}, 1024),
    ],
)
def test_a_fleet_is_no_larger_than_its_plan(wanted, shapes, changes, size):
    """Every generator has a user in every phase and a connection of its own."""
    phases = [Phase(f"p{number}", shape) for number, shape in enumerate(shapes)]
    plan = compile_plan(scenario(*phases, **changes), seed=1, run_id="r")
    assert fleet_size(wanted, plan.most_shards) == size


def test_auto_leaves_a_core_to_others():
    """`auto` is at least one generator, follows the same limits, and does not take the whole machine."""
    assert fleet_size("auto", 1) == 1
    assert fleet_size("auto", 1024) == max(1, cores() - 1)
