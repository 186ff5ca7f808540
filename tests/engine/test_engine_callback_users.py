"""Iterations run by callbacks: the same load, the same figures, and nothing that goes wrong in them is lost."""

from dataclasses import replace
from fractions import Fraction

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_load import endpoint, feeder, scenario, virtual_run

from stressrunner.http.exchange import DirectTransports, Failure, FailureKind, Request
from stressrunner.http.fake import DirectFakeTransports, FakeAnswer
from stressrunner.scenario.model import Capture, Closed, Json, Limits, Mix, Open, Phase

# Ends of services that fall on no other moment, where the order would be anybody's guess.
service_times = st.integers(1, 90).map(lambda k: 0.0171 * k + 0.000_123_7)
durations = st.fractions(1, 3, max_denominator=4).map(lambda s: s + Fraction(1, 97))
shapes = st.one_of(
    st.builds(Closed, st.integers(1, 6), iterations=st.integers(1, 20)),
    st.builds(Closed, st.integers(1, 6), duration_s=durations),
    st.builds(
        Closed,
        st.integers(1, 4),
        duration_s=durations,
        think_min_s=st.just(0.111_1),
        think_max_s=st.just(0.111_1),
    ),
    st.builds(
        Open,
        st.fractions(1, 30, max_denominator=7),
        durations,
        st.integers(1, 6),
        overflow=st.sampled_from(["wait", "drop"]),
    ),
)
answers = st.lists(
    st.builds(
        FakeAnswer,
        service_s=service_times,
        status=st.sampled_from([200, 200, 201, 500]),
        body=st.sampled_from([b'{"ok": true, "id": 3}', b'{"ok": false}', b"{"]),
        headers=st.just((("Content-Type", "application/json"),)),
        connect_s=st.none(),
        failure=st.sampled_from([None, None, None, Failure(FailureKind.RESET, "lost")]),
    ),
    min_size=1,
    max_size=5,
)
endpoints = [
    endpoint("constant", body=None, checks=("status == 200",)),
    endpoint("judged", checks=("body.ok",), capture={"id": Capture("body.id")}),
    endpoint("fed", body=Json({"row": "{{ rows }}"})),
]


def figures(ran):
    """Return what is known of every request, and of the load as a whole."""
    each = zip(ran.samples, ran.exchanges, strict=True)
    requests = sorted(repr((sample, exchange and exchange.request)) for sample, exchange in each)
    totals = ran.totals
    counts = (
        totals.planned,
        totals.sent,
        totals.dropped,
        totals.not_reached,
        totals.unfinished,
        totals.failed,
    )
    return requests, counts


def fitting(shape, users, phases):
    """Return a shape that suits one of several phases.

    Concurrency that falls is cut off in the middle, which coroutines alone can do. What arrives in the moment in which
    fixed work ends may or may not find somebody free.
    """
    if isinstance(shape, Closed):
        return replace(shape, concurrency=users)
    return shape if phases == 1 else replace(shape, max_in_flight=50)


@settings(max_examples=40, deadline=None)
@given(
    phases=st.lists(st.builds(Phase, st.just("p"), shapes), min_size=1, max_size=3),
    answers=answers,
    sent=st.lists(st.sampled_from(endpoints), min_size=1, unique_by=lambda e: e.name),
)
def test_callbacks_and_coroutines_agree(phases, answers, sent):
    """Transports that call back and those that do not make the same requests at the same moments, judged alike."""
    users = max([p.shape.most for p in phases if isinstance(p.shape, Closed)], default=0)
    phases = [
        Phase(f"p{i}", fitting(p.shape, users, len(phases)), graceful_stop_s=0.503)
        for i, p in enumerate(phases)
    ]
    of = scenario(
        *phases,
        endpoints=sent,
        traffic=Mix({e.name: Fraction(1) for e in sent}),
        feeders={"rows": feeder(1, 2, 3)},
    )

    def answer(_number, request):
        return answers[len(request.body) % len(answers)]

    direct, awaited = (virtual_run(of, answer, direct=direct) for direct in (True, False))
    assert figures(direct) == figures(awaited)


def test_an_error_in_a_callback_is_raised():
    """What is wrong with the engine itself ends the run, though an event loop would only log it."""

    def answer(number, _request):
        return FakeAnswer(0.01, body=b"{}", headers=None if number == 3 else ())

    of = scenario(
        Phase("p", Closed(2, iterations=9)),
        endpoints=[endpoint(checks=("headers.x is defined or true",))],
    )
    with pytest.raises(BaseExceptionGroup) as raised:
        virtual_run(of, answer)
    assert raised.group_contains(TypeError)


def test_the_dispatcher_serves_a_waiting_user_at_once():
    """An arrival for a user who waits is sent in the moment in which it is due, on the connection of that user."""
    ran = virtual_run(scenario(Phase("p", Open(Fraction(10), Fraction(2)))))
    assert (ran.totals.sent, ran.transports.opened) == (20, 1)
    assert {sample.released_ns - sample.due_ns for sample in ran.samples} == {0}


def test_a_hard_limit_holds_for_callbacks():
    """`limits.requests` counts requests that are sent by callbacks, to the last one."""
    of = scenario(Phase("p", Closed(3, duration_s=Fraction(5))), limits=Limits(requests=7))
    ran = virtual_run(of)
    assert ran.totals.sent == 7
    assert ran.limit_hit


def test_requests_that_cannot_be_filled_let_others_run():
    """A user whose requests all fail before they are sent gives way, so that the load ends when it is to."""
    of = scenario(
        Phase("p", Closed(2, iterations=1000)),
        endpoints=[endpoint(body=Json("{{ rows.missing }}"))],
        feeders={"rows": feeder(1)},
    )
    ran = virtual_run(of)
    assert (ran.samples, ran.totals.skipped) == ([], 1000)


def test_a_fake_that_calls_back_is_one():
    """The fake transport has both forms, and they count together."""

    class Clock:
        def now_ns(self):
            return 0

        async def sleep_until(self, _at_ns):
            await anyio.lowlevel.checkpoint()

    async def main():
        done = []
        async with anyio.create_task_group() as tasks:
            fake = DirectFakeTransports(Clock(), lambda _number, _request: FakeAnswer(), tasks)
            transport = fake.enter()
            transport.begin(Request("GET", "/"), done.append)
            async with fake.open() as other:
                done.append(await other.exchange(Request("GET", "/")))
            await anyio.wait_all_tasks_blocked()
            await fake.leave([transport])
        return isinstance(fake, DirectTransports), len(done), fake.requests, fake.opened, fake.closed

    assert anyio.run(main) == (True, 2, 2, 2, 2)
