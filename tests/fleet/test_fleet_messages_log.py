"""Messages whose delivery is checked reach the coordinator from all generators, however many there are."""

import json

from fleet.fleet_runs import Recording, Spoken, assignment, run_fleet
from fleet.recording_server import recording_server
from fleet.test_fleet_coordinator import Fleet

from stressrunner.engine.attempt import Attempt
from stressrunner.fleet.generator import MOST_ATTEMPTS
from stressrunner.fleet.messages import Over, Poll, Start, frame_of
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.wire import delta_from_wire, delta_to_wire
from stressrunner.plan.reply import Reply

MESSAGES = """\
endpoints:
  say: {{post: /say, json: {{text: "{{{{ message.token }}}}"}}}}
  history: {{get: "/sessions/{{{{ session.name }}}}"}}
session: {{messages: {messages}, send: say, burst: 10}}
load: {{sessions: {sessions}, concurrency: {sessions}}}
invariants: {{delivery: {{read_back: {{endpoint: history, messages: body.messages}}}}}}
"""


class Listening(Recording):
    """An observer that keeps everything counted so far."""

    def observe(self, snapshot, total):
        """Keep the snapshot and the total."""
        self.total = total
        return super().observe(snapshot, total)


def test_two_generators_log_all_messages():
    """What two generator processes have logged together is what the server was sent, each message once."""
    observer = Listening()
    with recording_server() as server:
        run_fleet(MESSAGES.format(messages=20, sessions=10), server.url, 2, observer=observer)
    sent = [json.loads(body)["text"] for _, _, body in server.requests]
    assert sorted(f"sr.r.{a.session}.{a.message}" for a in observer.total.attempts) == sorted(sent)
    assert len(sent) == len(set(sent)) == 200
    assert {a.reply for a in observer.total.attempts} == {Reply.ACKNOWLEDGED}


def test_a_generator_hands_over_no_more_than_fits():
    """One update has so many messages and no more; what is left comes in further ones, and the last says so."""
    count = MOST_ATTEMPTS + 100
    with recording_server(0) as server, Spoken() as generator:
        generator.arm(assignment(MESSAGES.format(messages=count // 10, sessions=10), server.url))
        generator.send(Start(0.0))
        assert generator.receive() == Over()
        first, last = generator.ask(Poll(0)), generator.ask(Poll(1))
    sizes = [len(delta_from_wire(update.delta, 0).attempts) for update in (first, last)]
    assert sizes == [MOST_ATTEMPTS, 100]
    assert (first.is_final, last.is_final) == (False, True)
    assert len(frame_of(first)) < 1_000_000


def test_a_coordinator_asks_for_what_is_left_at_once():
    """After a load has ended, everything that is still to be handed over is asked for without a pause."""
    attempt = Attempt(0, 0, 0, 0, 0, 0, Reply.ACKNOWLEDGED)

    def slowly(me, message):
        update = me.update(message.seq)
        left = getattr(me, "left", 5)
        if update.is_final:
            me.left = left - 1
        delta = Delta()
        delta.attempts = [attempt]
        wire = {**update.delta, "attempts": delta_to_wire(delta, 0)["attempts"]}
        return type(update)(
            update.seq, update.is_final and left == 0, wire, update.phases, update.spans_ns, update.failure
        )

    observer = Listening()
    ran = Fleet({"poll": slowly}, observer=observer)
    assert len(observer.total.attempts) == 10
    assert ran.took_s < 5.2
    assert ran.fleet.losses == ()
